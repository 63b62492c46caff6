"""What officers' pages read: the shift, the day, gates, hand checks, the lunar calendar."""
