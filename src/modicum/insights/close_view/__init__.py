"""Single calls, sessions and findings, to be looked at closely."""
