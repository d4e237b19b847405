"""Settings changed by a program in a file that people write."""
