"""Verbs about rate limits."""
