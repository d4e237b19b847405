"""`modicum experiment`."""
