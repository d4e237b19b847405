"""What is tried when an upstream fails: once more, or elsewhere."""
