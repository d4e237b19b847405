"""`modicum policy`."""
