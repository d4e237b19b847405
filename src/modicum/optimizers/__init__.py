"""Rules that change calls before they are sent: one file each, pure, listed in `all_rules.RULES`.

They import nouns (`calls`), dialects, prices and counts, and neither ledger nor state nor network: what they may know
is handed to them (`calls/facts.py`). So the gateway, a user's own program and the replay of a ledger run the very same
code.
"""
