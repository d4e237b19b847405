"""The live door: every call passes through here, is metered, and goes on. `pipeline.py` is the one screen to read."""
