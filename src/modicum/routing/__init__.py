"""Which model a call is sent to: learned from outcomes.

Pure: what it may know is handed over. Arrays and nouns in, a choice out, without ledger, files or network, so that the
gateway, a user's own program and a replay run the same decision.
"""
