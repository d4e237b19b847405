"""The list of rules."""

from modicum.calls.rule import Rule, Safety
from modicum.optimizers.base64_runs import BASE64
from modicum.optimizers.cache_preparation import BREAKPOINTS, CACHE_KEY, KEY_ORDER, TOOL_ORDER
from modicum.optimizers.code.skeleton_rule import CODE_SKELETON
from modicum.optimizers.grouped_matches import GROUPED_MATCHES
from modicum.optimizers.json_minify import MINIFY_JSON
from modicum.optimizers.json_tables import TABLES
from modicum.optimizers.line_numbers import LINE_NUMBERS
from modicum.optimizers.log_folding import FOLD_LOGS
from modicum.optimizers.loop_guard import LOOP_NUDGE, LOOP_STOP
from modicum.optimizers.repeats import REPEATS
from modicum.optimizers.result_cut import CUT
from modicum.optimizers.terminal_output import TERMINAL
from modicum.optimizers.tools_on_demand import TOOLS_ON_DEMAND
from modicum.optimizers.volatile_facts import VOLATILE_FACTS

GUARD_RULES: tuple[Rule, ...] = (LOOP_STOP, LOOP_NUDGE)
"""They see circles. The one that stops counts first, and both before anything else is changed."""

CACHE_RULES: tuple[Rule, ...] = (TOOL_ORDER, KEY_ORDER, VOLATILE_FACTS, CACHE_KEY, BREAKPOINTS)
"""They leave out nothing. Marks come last: they stand in front of what the others put at the end."""

CONTENT_RULES: tuple[Rule, ...] = (
    TERMINAL,
    LINE_NUMBERS,
    GROUPED_MATCHES,
    MINIFY_JSON,
    TABLES,
    BASE64,
    FOLD_LOGS,
    CUT,
    REPEATS,
)
"""They shorten what tools returned. Colours go first: the others read what is under them. References to a repeated
result come last, so that they point to a text as it is sent."""

TOOL_RULES: tuple[Rule, ...] = (TOOLS_ON_DEMAND,)
"""They leave schemas out of requests, where somebody answers the model that wants one of them."""

CODE_RULES: tuple[Rule, ...] = (CODE_SKELETON,)
"""They read code, by packages of an extra, and come before what shortens lines: no grammar reads those."""

RULES: tuple[Rule, ...] = (*GUARD_RULES, *TOOL_RULES, *CODE_RULES, *CONTENT_RULES, *CACHE_RULES)
"""All rules that need nothing prepared, in the order in which they run. Rules of features (a team's plan) join them
where the feature is set up."""

DEFAULT_RULES: tuple[Rule, ...] = tuple(rule for rule in RULES if rule.is_default)
"""Those that run where nobody has chosen: they lose nothing, break no cache and take next to no time."""

LOSSLESS_RULES: tuple[Rule, ...] = tuple(
    rule for rule in CONTENT_RULES if rule.safety is Safety.LOSSLESS and rule.is_cache_safe
)
"""Rules for content that lose nothing and break no cache."""
LOSSLESS_SET, ALL_SET = "lossless", "all"
"""Names of sets of rules, in a ledger and where a change is typed: `LOSSLESS_RULES` and `CONTENT_RULES`."""
