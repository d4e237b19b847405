"""`modicum hooks`."""
