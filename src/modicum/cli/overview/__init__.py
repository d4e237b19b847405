"""What `modicum` without a verb shows."""
