"""`modicum blocks`: what was used of a subscription's windows."""
