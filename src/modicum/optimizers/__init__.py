"""Rules that change calls before they are sent: one file each, pure, listed in `RULES` in the order in which they run.

They import nouns (`calls`), dialects, prices and counts, and neither ledger nor state nor network: what they may know
is handed to them (`calls/facts.py`). So the gateway, a user's own program and the replay of a ledger run the very same
code.
"""

from modicum.calls.rule import Rule
from modicum.optimizers.base64_runs import BASE64
from modicum.optimizers.json_minify import MINIFY_JSON
from modicum.optimizers.json_tables import TABLES
from modicum.optimizers.log_folding import FOLD_LOGS
from modicum.optimizers.repeats import REPEATS
from modicum.optimizers.result_cut import CUT
from modicum.optimizers.terminal_output import TERMINAL

RULES: tuple[Rule, ...] = (MINIFY_JSON, TABLES, TERMINAL, BASE64, FOLD_LOGS, REPEATS, CUT)
"""All rules that need nothing prepared, each with its safety. Rules of features (a team's plan) join them where the
feature is set up."""

DEFAULT_RULES: tuple[Rule, ...] = tuple(rule for rule in RULES if rule.is_default)
"""Those that run where nobody has chosen: they lose nothing, break no cache and take next to no time."""
