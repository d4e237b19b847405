"""The ledger beside what providers themselves report: differences, and their likely causes."""
