"""The application: settings, wiring, command line. Nothing imports it."""
