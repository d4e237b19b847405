"""The console: web pages over the ledger's answers, in a process of their own. Never imports the gateway."""
