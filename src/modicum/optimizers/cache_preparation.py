"""Requests as a prompt cache wants them: breakpoints where a program has set none, tools always in one order, and a key
that sends a conversation to the machine which has it cached. The model is sent all that the caller wrote.
"""

import hashlib
from decimal import Decimal

from modicum.calls import SegmentKind
from modicum.calls.change import NO_CHANGE, Change
from modicum.calls.facts import Facts
from modicum.calls.prompt import Prompt
from modicum.calls.rule import NetSaving, NotDecidable, Rule, Safety

_KEY_CHARACTERS = 24
_CERTAIN = NetSaving(is_certain=True)


def set_breakpoints(prompt: Prompt, facts: Facts) -> Change | NotDecidable:
    """Marks what the next call of a conversation can read again, where the caller marks nothing."""
    from modicum.metering.prompt_cache import find_rules  # it loads numpy, which hooks do without

    rules = find_rules(facts.model, facts.at.date())
    if rules is None or rules.is_implicit or prompt.marks_cache or prompt.tokens < rules.minimum:
        return NO_CHANGE
    if facts.turn is None:
        return NotDecidable("how many calls its conversation had")
    return Change(marks_cache=True, why="breakpoints for the prompt cache, which the caller sets none of")


def weigh_breakpoints(prompt: Prompt, facts: Facts, change: Change) -> NetSaving:  # noqa: ARG001 - a rule's shape
    """Marked tokens are written for more than they cost unmarked, and read for less in every call after this one."""
    rates = facts.rates(facts.model) if facts.rates is not None else None
    if rates is None:
        return NetSaving()
    later = facts.later_calls if facts.later_calls is not None else float(bool(facts.turn))
    warm = min(facts.warm_tokens or 0, prompt.tokens)
    usd = (
        prompt.tokens * Decimal(later) * (rates.input_uncached - rates.cache_read)
        + warm * (rates.input_uncached - rates.cache_read)
        - (prompt.tokens - warm) * (rates.cache_write_5m - rates.input_uncached)
    )
    return NetSaving(usd=usd)


def sort_tools(prompt: Prompt, facts: Facts) -> Change:  # noqa: ARG001 - a rule's shape
    """Puts tools in the order of their names: one that changes from call to call loses the cache of all behind it."""
    names = [unit.tool for unit in prompt.units if unit.kind is SegmentKind.TOOL_SCHEMA]
    if names == sorted(names) or not all(names) or len(set(names)) < len(names):
        return NO_CHANGE
    return Change(sorts_tools=True, why="tools in the order of their names")


def sort_keys(prompt: Prompt, facts: Facts) -> Change:  # noqa: ARG001 - a rule's shape
    """Puts the keys of tools' schemas in one order: some languages write them in another one in each process."""
    if prompt.has_cache_marks or prompt.has_sorted_schemas:
        return NO_CHANGE
    return Change(sorts_keys=True, why="keys of tools' schemas in one order")


def set_key(prompt: Prompt, facts: Facts) -> Change:  # noqa: ARG001 - a rule's shape
    """Names the conversation to a provider that routes by such a name: by its tools, instructions and first message."""
    if not prompt.takes_cache_key or not any(unit.is_message for unit in prompt.units):
        return NO_CHANGE
    begins = hashlib.blake2b(digest_size=16)
    for unit in prompt.units:
        begins.update(unit.digest)
        if unit.kind is SegmentKind.USER:
            break
    key = f"modicum-{begins.hexdigest()[:_KEY_CHARACTERS]}"
    return Change(cache_key=key, why="a key by which the provider finds the cache of this conversation")


BREAKPOINTS = Rule(
    "cache.breakpoints",
    set_breakpoints,
    Safety.LOSSLESS,
    is_cache_safe=True,
    purpose="breakpoints for the prompt cache where a program sets none",
    weigh=weigh_breakpoints,
    must_be_chosen=True,
)
TOOL_ORDER = Rule(
    "cache.tool_order",
    sort_tools,
    Safety.LOSSLESS,
    is_cache_safe=True,
    purpose="tools always in one order",
    weigh=lambda *_: _CERTAIN,
    must_be_chosen=True,
)
KEY_ORDER = Rule(
    "cache.key_order",
    sort_keys,
    Safety.LOSSLESS,
    is_cache_safe=True,
    purpose="keys of tools' schemas always in one order",
    weigh=lambda *_: _CERTAIN,
    must_be_chosen=True,
)
CACHE_KEY = Rule(
    "cache.key",
    set_key,
    Safety.LOSSLESS,
    is_cache_safe=True,
    purpose="a prompt_cache_key for conversations that name none",
    weigh=lambda *_: _CERTAIN,
    must_be_chosen=True,
)
