"""What the cameras of a bridge tell together, one direction at a time."""
