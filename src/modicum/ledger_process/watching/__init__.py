"""What the ledger process watches beside its work: figures of owners, budgets, and what people are to be alerted of."""
