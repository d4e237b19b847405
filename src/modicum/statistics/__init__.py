"""Intervals and tests: arrays in, figures out. This room knows none of the nouns."""
