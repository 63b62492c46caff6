"""What a reading is, and its way from a device to the disk."""
