"""`modicum console`, and the console of `modicum up`."""
