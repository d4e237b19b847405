"""`modicum team`."""
