"""Ledger in, answers out: the bill, and what explains it."""
