"""The list of rules."""

from modicum.calls.rule import Rule
from modicum.optimizers.base64_runs import BASE64
from modicum.optimizers.json_minify import MINIFY_JSON
from modicum.optimizers.json_tables import TABLES
from modicum.optimizers.log_folding import FOLD_LOGS
from modicum.optimizers.loop_guard import LOOP_NUDGE, LOOP_STOP
from modicum.optimizers.repeats import REPEATS
from modicum.optimizers.result_cut import CUT
from modicum.optimizers.terminal_output import TERMINAL

RULES: tuple[Rule, ...] = (LOOP_STOP, LOOP_NUDGE, MINIFY_JSON, TABLES, TERMINAL, BASE64, FOLD_LOGS, CUT, REPEATS)
"""All rules that need nothing prepared, each with its safety, in the order in which they run. Guards come first: they
count results as they came. References to a repeated result come last, so that they point to a text as it is sent. Rules
of features (a team's plan) join them where the feature is set up."""

DEFAULT_RULES: tuple[Rule, ...] = tuple(rule for rule in RULES if rule.is_default)
"""Those that run where nobody has chosen: they lose nothing, break no cache and take next to no time."""
