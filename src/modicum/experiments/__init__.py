"""Proof: the same tasks under several arms, and what may be concluded from it."""
