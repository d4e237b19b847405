"""Prompts as data: their parts, and in which order they are sent."""
