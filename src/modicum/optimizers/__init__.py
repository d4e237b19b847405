"""Rules that change calls before they are sent: one file each, pure, listed in `RULES` in the order in which they run.

They import nouns (`calls`), dialects, prices and counts, and neither ledger nor state nor network: what they may know
is handed to them (`calls/facts.py`). So the gateway, a user's own program and the replay of a ledger run the very same
code.
"""

from modicum.calls.rule import Rule

RULES: tuple[Rule, ...] = ()
"""All rules that need nothing prepared, each with its safety. Rules of features (a team's plan) join them where the
feature is set up."""
