"""Telling people: what waits is planned, paced and sent over channels."""
