"""What texts mean, as vectors that a model makes in this process."""
