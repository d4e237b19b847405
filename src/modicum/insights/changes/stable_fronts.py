"""The history with the rules that keep the front of prompts as it was, or bring calls to the machine that has it.

What another order of tools broke stands in a ledger with anatomy: the same tools, by digest, in another order. Digests
of schemas do not change with the order of their keys, and no log says which machine answered. For these two the breaks
that could have been theirs are counted, as an upper bound.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from modicum.calls import SegmentKind, UserError
from modicum.calls.prompt import Prompt
from modicum.insights.caching import Caching, find_rule_flags
from modicum.insights.finding import FindingClass, HistoryChange
from modicum.insights.history import Flags, History
from modicum.insights.rules.rule_replay import prompts_of
from modicum.insights.segment_costs import is_kind
from modicum.optimizers.cache_preparation import CACHE_KEY, KEY_ORDER, TOOL_ORDER

OPENAI = frozenset({"openai", "azure"})
_NO_SCHEMAS = (
    "these logs have no schemas of tools (agents do not log them): send calls through the gateway, or record requests"
)
_NO_OPENAI = "no call here went to OpenAI, which alone takes a key for its prompt cache"
_WITHIN = "within conversations; what conversations with another order of tools could have shared is not counted"
_ANY_CAUSE = (
    "at most this: calls with tools that read nothing, though nothing on record had changed; the provider may have "
    "lost the cache as well. 'modicum optimize explain --requests FILE' replays requests that you recorded"
)
_ANY_MACHINE = (
    "at most this: every cache that was lost without a cause on record counts as lost to another machine; whether "
    "requests named a prompt_cache_key already is on no record"
)


class FrontChange(NamedTuple):
    """What one of these rules would have changed."""

    finding_class: FindingClass
    change: HistoryChange
    note: str


def sort_tools(history: History) -> FrontChange:
    """Calls whose context only has its tools in another order go on where the call before left the cache.

    Raises:
        UserError: no log of the history has schemas.
    """
    check_schemas(history, TOOL_ORDER.name)
    unbroken, before = np.zeros(history.calls, np.bool_), None
    for number, prompt in enumerate(prompts_of(history)):
        if history.first[number] or before is None or not (prompt.is_known and before.is_known):
            before = prompt
            continue
        if int(history.kept_segments[number]) < len(before.units):
            former = _in_order(before)
            unbroken[number] = _in_order(prompt)[: len(former)] == former
        before = prompt
    return FrontChange(FindingClass.REPLAYED, _mended(unbroken), _WITHIN)


def sort_keys(history: History) -> FrontChange:
    """Calls with tools that read nothing, and nothing says why.

    Raises:
        UserError: no log of the history has schemas.
    """
    check_schemas(history, KEY_ORDER.name)
    with_tools = np.zeros(history.calls, np.bool_)
    with_tools[history.conversation_start[history.segment_call[is_kind(history, "tool_schema")]]] = True
    unexplained = Caching.compute(history).unexplained
    broken = unexplained & with_tools[history.conversation_start] & (history.cache_read == 0)
    return FrontChange(FindingClass.UPPER_BOUND, _mended(broken), _ANY_CAUSE)


def name_caches(history: History) -> FrontChange:
    """Calls to OpenAI that read far less than was left, and nothing says why.

    Raises:
        UserError: no call went to OpenAI.
    """
    of_openai = np.array([name in OPENAI for name in history.providers], np.bool_)[history.provider]
    of_openai &= find_rule_flags(history, lambda rules: rules.is_implicit)
    if not of_openai.any():
        raise UserError(f"'rules={CACHE_KEY.name}' cannot be replayed: {_NO_OPENAI}")
    broken = Caching.compute(history).unexplained & of_openai
    return FrontChange(FindingClass.UPPER_BOUND, _mended(broken), _ANY_MACHINE)


FRONT_RULES: dict[str, Callable[[History], FrontChange]] = {
    TOOL_ORDER.name: sort_tools,
    KEY_ORDER.name: sort_keys,
    CACHE_KEY.name: name_caches,
}
"""By name of the rule."""


def check_schemas(history: History, name: str) -> None:
    """Makes sure that the history can say what a rule about schemas of tools would have changed.

    Raises:
        UserError: no log of it has any.
    """
    if not is_kind(history, "tool_schema").any():
        raise UserError(f"'rules={name}' cannot be replayed: {_NO_SCHEMAS}")


def _mended(broken: Flags) -> HistoryChange:
    return HistoryChange(unbroken=broken) if broken.any() else HistoryChange()


def _in_order(prompt: Prompt) -> list[tuple[str, str, bytes]]:
    """The units of a prompt, tools first and by name."""
    units = [(str(unit.kind), unit.tool, unit.digest) for unit in prompt.units]
    schemas = sorted(unit for unit in units if unit[0] == SegmentKind.TOOL_SCHEMA)
    return [*schemas, *(unit for unit in units if unit[0] != SegmentKind.TOOL_SCHEMA)]
