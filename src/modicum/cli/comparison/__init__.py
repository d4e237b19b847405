"""`modicum compare`."""
