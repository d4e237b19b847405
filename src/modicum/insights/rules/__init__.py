"""What rules would do with calls of a ledger: replayed, and explained."""
