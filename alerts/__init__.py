"""Rules, the engine that evaluates them, and the life of an alert."""
