"""The live socket, protocol live.v1."""
