"""Verbs of `modicum outcome` that need a file of their own."""
