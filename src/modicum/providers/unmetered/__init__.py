"""The dialects of paths that nobody meters, one for each API."""
