"""`modicum user` and `modicum token`: who may look at the console, and what programs may do there."""
