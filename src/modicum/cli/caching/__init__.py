"""`modicum cache`: prompt caches as they stand."""
