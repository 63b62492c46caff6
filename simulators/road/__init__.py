"""Traffic on the roads over the two bridges."""
