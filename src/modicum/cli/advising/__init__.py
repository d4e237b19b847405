"""`modicum advise`."""
