"""Budgets in the gateway: what a call may cost is reserved before it is sent, and settled when it is known."""
