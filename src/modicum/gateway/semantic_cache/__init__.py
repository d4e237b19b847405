"""Answers to questions that mean the same as one before, within a bound on wrong ones, for owners who chose it
(docs/semantic-cache.md).
"""
