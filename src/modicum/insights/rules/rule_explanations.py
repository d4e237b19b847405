"""Which rules would act on calls of a ledger, what each expects to save, and why the others would not."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import msgspec
import numpy as np

from modicum.calls import Owner, UserError
from modicum.calls.rule import RuleDecision, RuleEffect
from modicum.calls.usage import TEXT_BUCKETS
from modicum.calls.words.counted_nouns import number_of
from modicum.governance.agent_tree import AgentLimits, describe, fault_of
from modicum.insights.caching import find_rule_flags
from modicum.insights.changes.ttl_by_pauses import ttl_by_pauses
from modicum.insights.changes.written_once import count_waiting, saved_usd
from modicum.insights.finding import HistoryChange
from modicum.insights.history import NO_CALLS, Floats, History, load
from modicum.insights.rates import RateTable
from modicum.insights.replay import Replay
from modicum.insights.rules.agent_replay import agent_places
from modicum.insights.rules.rule_replay import ReplayedCall, owner_in, replay_rules, tags_in
from modicum.insights.rules.watched_results import NO_NEED, explain_watched
from modicum.insights.what_if import keep_warm_by_price
from modicum.ledger.store import Store
from modicum.metering.keep_warm import net_per_reply
from modicum.metering.prices import PriceBook
from modicum.metering.return_times import CODING_AGENTS
from modicum.optimizers.cache_lifetimes import FEWEST_PAUSES, LONG_S, SHORT_S
from modicum.optimizers.rule_choice import AGENT_GUARD, BEGINNINGS, CACHE_TTL, KEEP_WARM, RuleChoice

BEGINNINGS_PURPOSE = "first calls that begin alike wait for the one that writes their beginning to the cache"
CACHE_TTL_PURPOSE = "writes caches for five minutes or an hour, by the pauses of calls of their kind"
AGENT_GUARD_PURPOSE = "agents that start agents: too deep, too many, or with the prompt of one above them"
SEMANTIC_CACHE = "semantic_cache"
SEMANTIC_CACHE_PURPOSE = "answers a question that means the same as one before without a call"
NO_SHORT_CACHE = "pings are for Anthropic's cache of five minutes, which its model has not"
NO_AGENT_GUARD = "its owner has to choose it: [[agent_guard]] in modicum.toml"

AgentLimitsOf = Callable[[Owner, str], AgentLimits | None]
"""What is allowed of agents, by owner and model; None: nobody chose."""


class RuleExplanation(msgspec.Struct, frozen=True, kw_only=True):
    """What one rule would do with some calls."""

    rule: str
    purpose: str
    safety: str
    calls: int
    """On which it would act, if it ran."""
    calls_on: int
    """Of these those for whose owners it is on."""
    tokens_removed: int
    """Prompt tokens that these calls would not carry."""
    expected_usd: float | None
    """Net, over these calls. None: no price is known for any of them."""
    why_not: dict[str, int]
    """Reasons, with the number of calls."""
    calls_undecided: int = 0
    """Of which what is on record is too little to say: it holds no text."""


class ChosenFeatures(NamedTuple):
    """What was chosen beside the rules, for anybody."""

    keeps_warm: bool = False
    """Whether pings keep caches warm."""
    shares_beginnings: bool = False
    """Whether first calls wait for each other."""
    ttl_choice: str = "leave"
    """What may become of times to live: `leave`, `shorten` or `choose`."""
    has_semantic_cache: bool = False
    agent_limits: AgentLimitsOf = lambda _owner, _model: None
    """What was chosen for agents that start agents."""


def explain(
    store: Store,
    choice: RuleChoice,
    prices: PriceBook,
    span: tuple[datetime, datetime],
    features: ChosenFeatures = ChosenFeatures(),  # noqa: B008 - it never changes
    call_id: str = "",
) -> list[RuleExplanation]:
    """Explains every rule, and what is chosen beside them: the guard of agents, beginnings that are written once, times
    to live, pings that keep caches warm, and the semantic cache.

    Args:
        store: the ledger that has the calls.
        choice: all rules, and what was chosen of them.
        prices: of their days.
        span: since, until.
        features: what was chosen beside the rules.
        call_id: of one call, as the ledger numbers it, or its beginning; empty: all.

    Raises:
        UserError: there are no calls at all, or no such call, or several begin so.
    """
    history = load(store, *span)
    if not history.calls:
        raise UserError(NO_CALLS)
    chosen = _choose(history, call_id)
    calls = [one for one in replay_rules(store, choice.rules, prices, *span) if one.entry_id in chosen]
    owners = store.ask("rule_calls", since=span[0], until=span[1])
    return [
        *_explain_rules(Replay(history, prices), chosen, calls, choice),
        _explain_agents(history, chosen, owners, features.agent_limits),
        _explain_beginnings(history, chosen, prices, is_on=features.shares_beginnings),
        _explain_ttl(history, chosen, prices, features.ttl_choice),
        _explain_keep_warm(history, chosen, prices, is_on=features.keeps_warm),
        _explain_semantic_cache(len(chosen), is_on=features.has_semantic_cache),
    ]


def _choose(history: History, call_id: str) -> set[str]:
    if not call_id:
        return set(history.entry_ids)
    fitting = [entry_id for entry_id in history.entry_ids if entry_id.startswith(call_id)]
    if call_id in fitting:
        return {call_id}
    if len(fitting) != 1:
        count = "no call" if not fitting else f"{number_of(len(fitting), 'call')}"
        raise UserError(
            f"{count} of this ledger has an id that begins with '{call_id:.80}'; 'modicum audit --json' names calls "
            "under 'examples'"
        )
    return set(fitting)


def _explain_rules(
    replays: Replay, chosen: set[str], calls: Sequence[ReplayedCall], choice: RuleChoice
) -> Iterator[RuleExplanation]:
    """Each rule of the list: by its verdicts, or, where it reads text, by what it did with it while logs were read."""
    owners = {call.entry_id: call.owner for call in calls}
    for number, rule in enumerate(choice.rules):
        row = _explain_rule(number, calls, choice)
        unread = next((why for why in row.why_not if why != NO_NEED), "")
        watched = None
        if row.calls_undecided and not row.calls:
            off = {entry_id: choice.why_off(rule, owner) for entry_id, owner in owners.items()}
            watched = explain_watched(replays, rule.name, chosen, off, unread)
        if watched is None:
            yield row
            continue
        yield msgspec.structs.replace(
            row,
            calls=watched.calls,
            calls_on=watched.calls_on,
            tokens_removed=watched.tokens_removed,
            expected_usd=watched.expected_usd,
            why_not=dict(watched.why_not.most_common()),
            calls_undecided=watched.calls_undecided,
        )


def _explain_rule(number: int, calls: Sequence[ReplayedCall], choice: RuleChoice) -> RuleExplanation:
    rule = choice.rules[number]
    acts = on = removed = 0
    usd: list[float] = []
    why: Counter[str] = Counter()
    undecided = 0
    for call in calls:
        decision = next((one for one in call.decisions if one.rule == rule.name), None)
        undecided += decision is not None and decision.effect is RuleEffect.NOT_DECIDABLE
        why_off = choice.why_off(rule, call.owner)
        if decision is None or decision.effect is not RuleEffect.CHANGED:
            why[_why(decision)] += 1
            continue
        acts += 1
        on += not why_off
        if why_off:
            why[why_off] += 1
        if decision.expected is not None:
            removed += decision.expected.tokens_removed
            usd += [] if decision.expected.usd is None else [float(decision.expected.usd)]
    return RuleExplanation(
        rule=rule.name,
        purpose=rule.purpose,
        safety=str(rule.safety or ""),
        calls=acts,
        calls_on=on,
        tokens_removed=removed,
        expected_usd=sum(usd) if usd else None,
        why_not=dict(why.most_common()),
        calls_undecided=undecided,
    )


def _why(decision: RuleDecision | None) -> str:
    if decision is None:
        return NO_NEED
    if decision.effect is RuleEffect.FAILED:
        return f"it failed: {decision.why} at {decision.place}"
    return decision.why


def _explain_agents(
    history: History, chosen: set[str], rows: Sequence[Mapping[str, Any]], limits_of: AgentLimitsOf
) -> RuleExplanation:
    """Nothing is expected to be saved: what an agent that is stopped would have done, nobody knows."""
    by_id = {row["entry_id"]: row for row in rows}
    parents = {number: tags_in(by_id[entry_id]).get("parent", "") for number, entry_id in enumerate(history.entry_ids)}
    why: Counter[str] = Counter()
    acts, undecided, most = 0, 0, 0
    for number, place in agent_places(history, parents):
        entry_id = history.entry_ids[number]
        if entry_id not in chosen:
            continue
        limits = limits_of(owner_in(by_id[entry_id]), history.models[history.model[number]])
        most = max(most, place.number)
        fault = None if limits is None else fault_of(place, limits)
        acts += fault is not None
        if limits is not None and fault is not None:
            why[describe(fault, place, limits)] += 1
        elif limits is not None and limits.most_depth is not None and not parents[number]:
            why["nobody says which agent has started this one, so it counts as started by the main agent"] += 1
            undecided += 1
        else:
            why[NO_NEED if limits is not None else NO_AGENT_GUARD] += 1
    if NO_AGENT_GUARD in why:
        why[f"{NO_AGENT_GUARD}; {number_of(most, 'agent')} of one task at most"] = why.pop(NO_AGENT_GUARD)
    others = len(chosen) - why.total()
    if others:
        why["no agent within a task makes it"] = others
    return RuleExplanation(
        rule=AGENT_GUARD,
        purpose=AGENT_GUARD_PURPOSE,
        safety="lossy",
        calls=acts,
        calls_on=acts,
        tokens_removed=0,
        expected_usd=None,
        why_not=dict(why.most_common()),
        calls_undecided=undecided,
    )


def _explain_keep_warm(history: History, chosen: set[str], prices: PriceBook, *, is_on: bool) -> RuleExplanation:
    is_chosen = np.array([entry_id in chosen for entry_id in history.entry_ids], dtype=np.bool_)
    why: Counter[str] = Counter()
    net = np.full(history.calls, np.nan)
    pings = np.zeros(history.calls, dtype=np.int64)
    try:
        found = keep_warm_by_price(history, prices).pings
        pings = pings if found is None else found
        net = _net_usd(history, prices, pings)
    except UserError:
        pass  # no call here has such a cache: the reasons below say it of each
    for reason, concerns in _reasons(history, pings):
        why[reason] += int((concerns & is_chosen).sum())
    acts = is_chosen & (pings > 0) & (history.cache_read + history.cache_write_5m + history.cache_write_1h > 0)
    if not is_on and acts.any():
        why["its owner has to choose it: keep_warm = true in [optimize]"] += int(acts.sum())
    known = net[acts & ~np.isnan(net)]
    return RuleExplanation(
        rule=KEEP_WARM,
        purpose="renews the prompt cache of a pausing conversation while its next call is likely to come",
        safety="lossless",
        calls=int(acts.sum()),
        calls_on=int(acts.sum()) if is_on else 0,
        tokens_removed=0,
        expected_usd=float(known.sum()) if len(known) else None,
        why_not={reason: calls for reason, calls in why.most_common() if calls},
    )


def _explain_beginnings(history: History, chosen: set[str], prices: PriceBook, *, is_on: bool) -> RuleExplanation:
    tokens = count_waiting(history)
    usd = saved_usd(history, prices, tokens)
    waits = [number for number, entry_id in enumerate(history.entry_ids) if tokens[number] and entry_id in chosen]
    why = {NO_NEED: len(chosen) - len(waits)}
    if waits and not is_on:
        why["its owner has to choose it: beginnings_wait_s in [optimize]"] = len(waits)
    return RuleExplanation(
        rule=BEGINNINGS,
        purpose=BEGINNINGS_PURPOSE,
        safety="lossless",
        calls=len(waits),
        calls_on=len(waits) if is_on else 0,
        tokens_removed=0,
        expected_usd=float(usd[waits].sum()) if waits else None,
        why_not={reason: calls for reason, calls in why.items() if calls},
    )


def _explain_ttl(history: History, chosen: set[str], prices: PriceBook, choice: str) -> RuleExplanation:
    """What is saved falls on later calls too, so one call has no figure of its own: the sum is over all calls."""
    is_chosen = np.array([entry_id in chosen for entry_id in history.entry_ids], dtype=np.bool_)
    ttl = ttl_by_pauses(history, prices)
    shortens = (ttl == int(SHORT_S)) & (history.cache_write_1h > 0)
    lengthens = (ttl == int(LONG_S)) & (history.cache_write_5m > 0)
    if choice == "shorten":
        ttl = np.where(ttl == int(SHORT_S), ttl, -1)
    would = shortens if choice == "shorten" else shortens | lengthens
    acts = would & is_chosen
    why: Counter[str] = Counter()
    why[f"its time stays: it is the one that pays, or its kind had fewer than {FEWEST_PAUSES} pauses until then"] = int(
        (is_chosen & ~(shortens | lengthens)).sum()
    )
    if choice == "shorten":
        why["an hour would pay, and its owner allows none: cache_ttl = 'choose' in [optimize]"] = int(
            (lengthens & is_chosen).sum()
        )
    elif choice == "leave":
        why["its owner has to choose it: cache_ttl in [optimize]"] = int(acts.sum())
    usd = None
    if acts.any() and len(chosen) == history.calls:
        usd = Replay(history, prices).run([HistoryChange(ttl_seconds=ttl)]).saving_usd
    return RuleExplanation(
        rule=CACHE_TTL,
        purpose=CACHE_TTL_PURPOSE,
        safety="lossless",
        calls=int(acts.sum()),
        calls_on=0 if choice == "leave" else int(acts.sum()),
        tokens_removed=0,
        expected_usd=usd,
        why_not={reason: calls for reason, calls in why.items() if calls},
    )


def _explain_semantic_cache(calls: int, *, is_on: bool) -> RuleExplanation:
    """Nothing is known of it from a ledger, and no figure is shown: what was asked is not on record."""
    why = {"what was asked is not on record, so nobody knows which calls it would answer": calls}
    if not is_on:
        why["its owner has to choose it: [[semantic_cache]] in modicum.toml"] = calls
    return RuleExplanation(
        rule=SEMANTIC_CACHE,
        purpose=SEMANTIC_CACHE_PURPOSE,
        safety="lossy",
        calls=0,
        calls_on=0,
        tokens_removed=0,
        expected_usd=None,
        why_not=why,
        calls_undecided=calls,
    )


def _reasons(history: History, pings: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    """Why calls get no ping; each call has one reason at most."""
    is_main = history.agent == history.code_of(history.agents, "")
    cached = history.cache_read + history.cache_write_5m + history.cache_write_1h
    yield "it is a call of an agent within a task", ~is_main
    is_able = find_rule_flags(history, lambda rules: rules.can_be_off and SHORT_S in rules.ttl_s)
    yield NO_SHORT_CACHE, is_main & ~is_able
    yield "it left nothing in a cache", is_main & is_able & (cached == 0)
    yield "no ping is expected to pay at its prices", is_main & is_able & (cached > 0) & (pings == 0)


def _net_usd(history: History, prices: PriceBook, pings: np.ndarray) -> Floats:
    """What pings after each call are expected to bring, net. (C,)"""
    rates = RateTable(history, prices).per_call(
        history.model, history.models, history.tier, history.tiers, history.prompt.astype(np.float64)
    )
    read, write = (rates[:, TEXT_BUCKETS.index(name)] for name in ("cache_read", "cache_write_5m"))
    cached = history.cache_read + history.cache_write_5m + history.cache_write_1h
    net = np.full(history.calls, np.nan)
    for call in np.flatnonzero((pings > 0) & ~np.isnan(read)):
        net[call] = cached[call] * net_per_reply(
            CODING_AGENTS, SHORT_S, int(pings[call]), float(read[call]), float(write[call])
        )
    return net
