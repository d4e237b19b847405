"""`modicum optimize`: what rules would do."""
