"""Changes as people type them: `cache_ttl=1h`, `cap_tool_results=2000`, `model:NAME=OTHER`, `tier=batch`."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

import numpy as np

from modicum.calls import Tier, UserError
from modicum.calls.errors import unknown_name
from modicum.calls.usage import TEXT_BUCKETS
from modicum.calls.words.percentages import percent
from modicum.insights.advice.project_beginnings import lean_beginnings
from modicum.insights.cache_replay.paying_pings import count_paying
from modicum.insights.caching import Caching, find_rule_flags
from modicum.insights.changes.contexts import FORMS as CONTEXT_FORMS
from modicum.insights.changes.contexts import is_context_change, parse_context_change
from modicum.insights.changes.loop_guards import guard_loops
from modicum.insights.changes.stable_fronts import FRONT_RULES, check_schemas
from modicum.insights.changes.tools_on_demand import send_tools_on_demand
from modicum.insights.changes.ttl_by_kind import choose_ttl
from modicum.insights.changes.ttl_by_pauses import ttl_by_pauses
from modicum.insights.changes.written_once import write_once
from modicum.insights.finding import FindingClass, HistoryChange
from modicum.insights.history import Flags, History, Ints
from modicum.insights.rates import RateTable
from modicum.insights.replay import Replay, check_model_price
from modicum.metering.keep_warm import best_pings
from modicum.metering.prices import PriceBook
from modicum.metering.prompt_cache import CacheRules
from modicum.metering.return_times import CODING_AGENTS
from modicum.optimizers.all_rules import ALL_SET, CODE_RULES, CONTENT_RULES, GUARD_RULES, LOSSLESS_SET
from modicum.optimizers.cache_lifetimes import FEWEST_PAUSES
from modicum.optimizers.cache_preparation import BREAKPOINTS
from modicum.optimizers.code.languages import why_unread
from modicum.optimizers.tools_on_demand import TOOLS_ON_DEMAND
from modicum.optimizers.volatile_facts import VOLATILE_FACTS

FORMS = (
    "cache_ttl=5m|1h|30m|12h|24h|off|per_kind|by_pauses",
    "keep_warm=5m:PINGS|oracle",
    "keep_warm=auto",
    "rules=lossless|all|NAME",
    f"rules={BREAKPOINTS.name}",
    f"rules={TOOLS_ON_DEMAND.name}",
    *(f"rules={name}" for name in FRONT_RULES),
    *(f"rules={rule.name}" for rule in GUARD_RULES),
    "rules:TOOL,TOOL=lossless|all|NAME",
    "cap_tool_results=TOKENS",
    "cap_tool_results:TOOL,TOOL=TOKENS",
    "cap_output=TOKENS",
    "model:NAME=OTHER",
    "subagent_model=OTHER",
    "beginnings=leanest",
    "beginnings=written_once",
    "tier=batch|flex|priority",
    *CONTEXT_FORMS,
)
RULES_FORM = "rules"
CAP_FORM = "cap_tool_results"
SUBAGENTS_FORM = "subagent_model"
LEAN_BEGINNINGS = "beginnings=leanest"
WRITTEN_ONCE = "beginnings=written_once"
_RULE_SETS = (LOSSLESS_SET, ALL_SET, *(rule.name for rule in (*CODE_RULES, *CONTENT_RULES)))
SET_BREAKPOINTS = f"{RULES_FORM}={BREAKPOINTS.name}"
SEND_TOOLS = f"{RULES_FORM}={TOOLS_ON_DEMAND.name}"
_GUARDS = {f"{RULES_FORM}={rule.name}": rule for rule in GUARD_RULES}
_FRONTS = {f"{RULES_FORM}={name}": change for name, change in FRONT_RULES.items()}
_OF_ALL_TOOLS = {SET_BREAKPOINTS, SEND_TOOLS, *_GUARDS, *_FRONTS}
"""Rules that are not about results of some tools."""
_CODE = frozenset(rule.name for rule in CODE_RULES)
_WHY_UNSEEN = {
    VOLATILE_FACTS.name: "of instructions a log keeps sizes and digests, and no line",
}
"""Rules whose saving is in no log, and why."""
PER_KIND = "per_kind"
BY_PAUSES = "by_pauses"
TTL_BY_PAUSES = f"cache_ttl={BY_PAUSES}"
"""As the gateway decides it for owners who let it choose."""
KEEP_WARM = "keep_warm=auto"
"""As many pings as are expected to pay at the prices of each call's day: the rule of the gateway."""
LONGEST_COUNT = 9
"""Digits of a number of tokens."""
_TTL_S = {"5m": 300, "1h": 3600, "30m": 1800, "12h": 43_200, "24h": 86_400, "off": 0}

SHORT_TTL_S = 1800
"""Up to here a write is billed as a short one."""
MODELS_NAMED = 3
MOST_PINGS = 1000
"""In one pause. Pings are no substitute for a longer time to live."""
_HEEDED = (
    "as if every agent had heeded the first note and gone on as it did behind the circle; results are compared by "
    "digests, so no failed call counts here; the gateway reads texts, and spares only those whose error passes"
)
_READ_AGAIN = "what agents would have read again of the bodies is not priced"
_NO_CODE = (
    "no result in this history is known to be code that the rule shortens; logs that went into a ledger before the "
    "packages of the extra were installed say it once they are imported again"
)
_WHY_NO_OFF = "the provider caches by itself, and no request can forbid it"
_WHY_NO_TTL = "the provider offers no such time to live"
_NO_SWITCH = "nothing about the cache can be set there"


@dataclass(frozen=True)
class WhatIf:
    name: str
    """As it was typed."""
    finding_class: FindingClass
    change: HistoryChange
    notes: tuple[str, ...] = ()
    """What else there is to say of it, in sentences."""


def check_what_if(text: str) -> None:
    """Checks what can be checked of a `--what-if` before the history is read, which may take minutes.

    Raises:
        UserError: it has none of the known forms, or names rules that are not there.
    """
    name, _, value = text.partition("=")
    if text in _OF_ALL_TOOLS:
        return
    if _without_tools(name) == RULES_FORM:
        if value in _WHY_UNSEEN:
            raise UserError(
                f"'{text}' cannot be replayed: {_WHY_UNSEEN[value]}. 'modicum optimize explain --requests FILE' tries "
                "it on requests that you recorded. Or send calls through the gateway with on = "
                f"[\"{value}\"] and a hold_out in [optimize]: 'modicum optimize report' then compares tasks "
                "that have it with those that are held out"
            )
        if f"{RULES_FORM}={value}" in _OF_ALL_TOOLS:
            raise UserError(f"'{text}' cannot be replayed for some tools alone: write {RULES_FORM}={value}")
        if value not in _RULE_SETS:
            raise unknown_name("set of rules", value, _RULE_SETS)
    elif not (_is_cache_change(text) or is_context_change(text) or _is_other_change(name, value)):
        raise unknown_name("change that can be replayed called", text, FORMS)


def parse_what_if(text: str, history: History, prices: PriceBook) -> WhatIf:
    """The change that a `--what-if` means for this history.

    Raises:
        UserError: as `check_what_if`; or it names a model that is not there or has no price, or cannot be done here.
    """
    check_what_if(text)
    name = text.partition("=")[0]
    if _is_cache_change(text):
        return _parse_cache_change(text, history, prices)
    if is_context_change(text):
        return WhatIf(text, FindingClass.HEADROOM, parse_context_change(text, history, prices))
    if name.startswith("model:") or name == SUBAGENTS_FORM:
        return _parse_model_change(text, history, prices)
    if text == WRITTEN_ONCE:
        return WhatIf(text, FindingClass.UPPER_BOUND, write_once(history, prices))
    return _parse_prompt_rule(text, history) if text in _OF_ALL_TOOLS else _parse_size_change(text, history)


def _parse_prompt_rule(text: str, history: History) -> WhatIf:
    """A rule that looks at whole prompts.

    Raises:
        UserError: the history does not hold what it looks at.
    """
    if text == SET_BREAKPOINTS:
        return WhatIf(text, FindingClass.REPLAYED, set_breakpoints(history))
    if text == SEND_TOOLS:
        check_schemas(history, TOOLS_ON_DEMAND.name)
        return WhatIf(text, FindingClass.UPPER_BOUND, send_tools_on_demand(history))
    if text in _GUARDS:
        return _parse_guard(text, history)
    found = _FRONTS[text](history)
    return WhatIf(text, found.finding_class, found.change, (found.note,))


def _parse_size_change(text: str, history: History) -> WhatIf:
    """Fewer tokens in prompts or replies, or another lane."""
    name, _, value = text.partition("=")
    form = _without_tools(name)
    if form == RULES_FORM and value in _CODE:
        return _parse_code_rule(text, history)
    if form == RULES_FORM:
        return WhatIf(text, FindingClass.REPLAYED, shorten_results(history, value, _tools_of(name)))
    if form == CAP_FORM:
        return WhatIf(text, FindingClass.HEADROOM, cap_tool_results(history, int(value), _tools_of(name)))
    if text == LEAN_BEGINNINGS:
        return WhatIf(text, FindingClass.UPPER_BOUND, lean_beginnings(history))
    if name == "cap_output":
        change = HistoryChange(max_output_tokens=np.full(history.calls, int(value), dtype=np.int64))
        return WhatIf(text, FindingClass.HEADROOM, change)
    return WhatIf(text, FindingClass.HEADROOM, HistoryChange(tier=value))


def _parse_guard(text: str, history: History) -> WhatIf:
    """A guard against circles, as if every agent had heeded its first note.

    Raises:
        UserError: the history has no tool calls with their answers.
    """
    if not history.segment_detail.any():
        raise UserError(
            f"'{text}' cannot be replayed: these logs do not show tool calls and their answers; an agent's own logs, "
            "imported with their content, and calls through the gateway do"
        )
    return WhatIf(text, FindingClass.UPPER_BOUND, guard_loops(history, _GUARDS[text]), (_HEEDED,))


def _parse_code_rule(text: str, history: History) -> WhatIf:
    """Files of code as the rule would have sent them: it may leave out what an agent reads again.

    Raises:
        UserError: nobody has looked at these logs with the packages that read code, and here they are not installed.
    """
    name, _, value = text.partition("=")
    if value in history.shortened_shares:
        change = shorten_results(history, value, _tools_of(name))
        return WhatIf(text, FindingClass.UPPER_BOUND, change, (_READ_AGAIN,))
    if why := why_unread():
        raise UserError(f"'{text}' cannot be replayed: {why}; then import the logs once more")
    return WhatIf(text, FindingClass.UPPER_BOUND, HistoryChange(), (_NO_CODE,))


def _parse_model_change(text: str, history: History, prices: PriceBook) -> WhatIf:
    name, _, value = text.partition("=")
    if name == SUBAGENTS_FORM:
        check_model_price(prices, history, value)
        of_subagents = history.agent != history.code_of(history.agents, "")
        change = HistoryChange(models=dict.fromkeys(history.models, value), model_calls=of_subagents)
        return WhatIf(text, FindingClass.HEADROOM, change)
    old = name.removeprefix("model:")
    olds = [model for model in history.models if model == old or model.startswith(f"{old}-")]
    if not olds:
        raise unknown_name("call to", old, sorted(history.models))
    check_model_price(prices, history, value)
    return WhatIf(text, FindingClass.HEADROOM, HistoryChange(models=dict.fromkeys(olds, value)))


def _is_cache_change(text: str) -> bool:
    """Whether it is a change of how long caches are kept."""
    name, _, value = text.partition("=")
    ttl, _, pings = value.partition(":")
    return (
        text == KEEP_WARM
        or (name == "cache_ttl" and value in {*_TTL_S, PER_KIND, BY_PAUSES})
        or (name == "keep_warm" and bool(_TTL_S.get(ttl)) and (pings == "oracle" or _is_ping_count(pings)))
    )


def _is_other_change(name: str, value: str) -> bool:
    if name == "tier":
        return value in {tier.value for tier in Tier}
    if name.startswith("model:") or name == SUBAGENTS_FORM:
        return bool(value)
    if f"{name}={value}" in {LEAN_BEGINNINGS, WRITTEN_ONCE}:
        return True
    return (name == "cap_output" or _without_tools(name) == CAP_FORM) and _is_count(value)


def _without_tools(name: str) -> str:
    """The change without the tools that it is for; the name itself where it is of no such form."""
    form, colon, tools = name.partition(":")
    return form if colon and tools and form in {RULES_FORM, CAP_FORM} else name


def _tools_of(name: str) -> Sequence[str]:
    """The patterns of tools that a change is for; empty: all tools."""
    return tuple(filter(None, name.partition(":")[2].split(",")))


def _set_ttl(history: History, text: str, seconds: int) -> Ints:
    """The time to live for every call whose provider offers it; -1 for the others, which stay as they are.

    Raises:
        UserError: no call in this history has such a switch.
    """
    offered = _find_offered(history, seconds)
    if not offered.any():
        able = [name for name, other in _TTL_S.items() if _find_offered(history, other).any()]
        models = ", ".join(history.models[:MODELS_NAMED])
        raise UserError(
            f"'{text}' cannot be set for {models}: {_WHY_NO_OFF if seconds == 0 else _WHY_NO_TTL}; "
            + (f"what can be set there: {', '.join(f'cache_ttl={name}' for name in able)}" if able else _NO_SWITCH)
        )
    return np.where(offered, seconds, -1)


def _parse_cache_change(text: str, history: History, prices: PriceBook) -> WhatIf:
    name, _, value = text.partition("=")
    if value == PER_KIND:
        return _parse_ttl_by_kind(text, history, prices)
    if value == BY_PAUSES:
        return _parse_ttl_by_pauses(text, history, prices)
    if name == "cache_ttl":
        return WhatIf(text, FindingClass.REPLAYED, HistoryChange(ttl_seconds=_set_ttl(history, text, _TTL_S[value])))
    if text == KEEP_WARM:
        return WhatIf(text, FindingClass.REPLAYED, keep_warm_by_price(history, prices))
    return _parse_keep_warm(text, history, prices)


def _parse_ttl_by_kind(text: str, history: History, prices: PriceBook) -> WhatIf:
    """The best time to live for each kind of conversation.

    Raises:
        UserError: nothing about the cache can be set in this history.
    """
    offered = [name for name, seconds in _TTL_S.items() if seconds and _find_offered(history, seconds).any()]
    if not offered:
        _set_ttl(history, text, -1)
    settings = {name: _set_ttl(history, text, _TTL_S[name]) for name in offered}
    choice = choose_ttl(Replay(history, prices), settings)
    return WhatIf(text, FindingClass.REPLAYED, choice.change, choice.notes)


def _parse_ttl_by_pauses(text: str, history: History, prices: PriceBook) -> WhatIf:
    """What the gateway would choose, beside the vendor's own setting: one time for all.

    Raises:
        UserError: no call in this history can choose between five minutes and an hour.
    """
    settings = {name: _set_ttl(history, text, _TTL_S[name]) for name in ("5m", "1h")}
    replays = Replay(history, prices)
    notes = tuple(
        f"the vendor's own setting, {name} for all: "
        f"{percent(replays.run([HistoryChange(ttl_seconds=ttl)]).saving_share, sign='+')}"
        for name, ttl in settings.items()
    )
    ttl = ttl_by_pauses(history, prices)
    if not (ttl > 0).any():
        notes += (f"nothing is decided before a kind of calls has {FEWEST_PAUSES} pauses, so all stays as it was",)
        return WhatIf(text, FindingClass.REPLAYED, HistoryChange(), notes)
    return WhatIf(text, FindingClass.REPLAYED, HistoryChange(ttl_seconds=ttl), notes)


def _parse_keep_warm(text: str, history: History, prices: PriceBook) -> WhatIf:
    ttl, _, pings = text.partition("=")[2].partition(":")
    if pings == "oracle":
        return WhatIf(text, FindingClass.UPPER_BOUND, _keep_warm_at_best(history, text, _TTL_S[ttl], prices))
    return WhatIf(text, FindingClass.REPLAYED, _keep_warm(history, text, _TTL_S[ttl], int(pings)))


def _keep_warm(history: History, text: str, seconds: int, pings: int) -> HistoryChange:
    """The caches of main agents kept for this time, and renewed by so many pings at most. A subagent ends with its
    work, and a cache that bills no writes needs no ping that is paid.

    Raises:
        UserError: no call in this history can have that time to live, or none is of a main agent.
    """
    main = history.agent == history.code_of(history.agents, "")
    ttl = np.where(
        main & find_rule_flags(history, lambda rules: rules.can_be_off), _set_ttl(history, text, seconds), -1
    )
    if not (ttl > 0).any():
        raise UserError(
            f"'{text}' cannot be done here: no main agent's call in this history writes to a cache that is billed"
        )
    return HistoryChange(ttl_seconds=ttl, pings=np.where(ttl > 0, pings, 0))


def _keep_warm_at_best(history: History, text: str, seconds: int, prices: PriceBook) -> HistoryChange:
    """The same with pings only where they pay, known from behind.

    Raises:
        UserError: as `_keep_warm`.
    """
    change = _keep_warm(history, text, seconds, 1)
    ttl = change.ttl_seconds
    assert ttl is not None  # noqa: S101 - _keep_warm sets it
    rates = RateTable(history, prices).per_call(
        history.model, history.models, history.tier, history.tiers, history.prompt.astype(np.float64)
    )
    _, read, short, long, *_ = np.nan_to_num(rates).T
    written = np.where(ttl > SHORT_TTL_S, long, short)
    return replace(change, pings=count_paying(Caching.compute(history), ttl, read, written))


def keep_warm_by_price(history: History, prices: PriceBook) -> HistoryChange:
    """Caches of main agents kept for their shortest time to live and renewed as often as the gateway would, by the very
    same function, at the prices of each call's day. Those of agents within a task are kept as long and never renewed.

    Raises:
        UserError: no main agent's call in this history writes to a cache that is billed.
    """
    rates = RateTable(history, prices).per_call(
        history.model, history.models, history.tier, history.tiers, history.prompt.astype(np.float64)
    )
    columns = [TEXT_BUCKETS.index(name) for name in ("cache_read", "cache_write_5m")]
    seconds = _TTL_S["5m"]
    change = _keep_warm(history, KEEP_WARM, seconds, 1)
    assert change.pings is not None  # noqa: S101 - it is what was made
    pings = np.zeros(history.calls, dtype=np.int64)
    kinds, kind = np.unique(np.nan_to_num(rates[:, columns]), axis=0, return_inverse=True)
    for number, (read, write) in enumerate(kinds):
        pings[kind.reshape(-1) == number] = best_pings(CODING_AGENTS, seconds, float(read), float(write))
    able = find_rule_flags(history, lambda rules: rules.can_be_off)
    ttl = np.where(able, _set_ttl(history, KEEP_WARM, seconds), -1)
    return HistoryChange(ttl_seconds=ttl, pings=np.where(change.pings > 0, pings, 0))


def _find_offered(history: History, seconds: int) -> Flags:
    return find_rule_flags(history, lambda rules: _offers(rules, seconds))


def _offers(rules: CacheRules, seconds: int) -> bool:
    """Whether a caller can ask for this time to live; where there is only one, there is nothing to ask for."""
    if seconds == 0:
        return rules.can_be_off
    return seconds in rules.ttl_s and (len(rules.ttl_s) > 1 or not rules.is_implicit)


def _is_ping_count(value: str) -> bool:
    return _is_count(value) and 0 < int(value) <= MOST_PINGS


def _is_count(value: str) -> bool:
    return value.isdecimal() and len(value) <= LONGEST_COUNT


def set_breakpoints(history: History) -> HistoryChange:
    """Breakpoints from the second call on in conversations that write nothing to a cache and read nothing from it,
    though their provider offers it to those who ask: there the rule of the gateway acts.

    Raises:
        UserError: no call in this history can be cached by asking.
    """
    offered = _set_ttl(history, SET_BREAKPOINTS, _TTL_S["5m"])
    cached = history.cache_read + history.cache_write_5m + history.cache_write_1h
    start = history.conversation_start
    never = np.bincount(start, cached, minlength=history.calls)[start] == 0
    goes_on = np.arange(history.calls) > start
    explicit = find_rule_flags(history, lambda rules: not rules.is_implicit)
    ttl = np.where(never & goes_on & explicit, offered, -1)
    return HistoryChange(ttl_seconds=ttl) if (ttl > 0).any() else HistoryChange()


def cap_tool_results(history: History, most_tokens: int, tools: Sequence[str] = ()) -> HistoryChange:
    """Every result of these tools (patterns; none: of all) cut to so many tokens when it arrives."""
    sizes = np.where(
        find_tool_results(history, tools), np.minimum(history.segment_tokens, most_tokens), history.segment_tokens
    )
    return HistoryChange(segment_tokens=sizes)


def shorten_results(history: History, rules: str, tools: Sequence[str] = ()) -> HistoryChange:
    """Results of these tools (none: of all) as rules would have sent them: by name of a rule, those on by default, or
    all.
    """
    shares = history.shortened_shares.get(rules)
    if shares is None:
        return HistoryChange()
    if tools:
        shares = np.where(find_tool_results(history, tools), shares, 1.0)
    return HistoryChange(segment_tokens=np.ceil(history.segment_tokens * shares).astype(np.int64))


def find_tool_results(history: History, tools: Sequence[str] = ()) -> Flags:
    """For every segment whether it is a result of a tool, of one of these patterns where any are given. (S,)"""
    found: Flags = history.segment_kind == history.code_of(history.kinds, "tool_result")
    if tools:
        is_one = [any(fnmatchcase(name, pattern) for pattern in tools) for name in history.tools]
        found = found & np.array(is_one, dtype=bool)[history.segment_tool]
    return found
