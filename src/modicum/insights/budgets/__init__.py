"""How budgets stand, from the ledger."""
