"""How people are reached: one module for each kind of channel, and what they share."""
