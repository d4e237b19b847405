"""What was made of the code: its size, and commits that were kept."""
