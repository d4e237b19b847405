"""Answers to calls that were made before, word for word: from memory, for owners who chose it (docs/reply-cache.md)."""
