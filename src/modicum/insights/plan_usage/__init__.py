"""What was used of a subscription's windows."""
