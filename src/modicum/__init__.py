"""modicum: find where LLM tokens go, cut the ones that buy nothing, prove that outcomes held."""

__version__ = "0.1.0"
