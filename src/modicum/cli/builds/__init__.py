"""`modicum check` and `modicum estimate`."""
