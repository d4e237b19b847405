"""What comes from outside, made fit to be kept or shown: texts and files."""
