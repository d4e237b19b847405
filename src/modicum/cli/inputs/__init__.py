"""What verbs work on: logs, the ledger, prices, keys."""
