"""The history with times to live that are decided from pauses, call by call, by the very function of the gateway: what
it would have known then, and nothing of what came later.
"""

from collections import defaultdict

import numpy as np

from modicum.calls.usage import TEXT_BUCKETS
from modicum.insights.caching import find_rule_flags
from modicum.insights.history import History, Ints
from modicum.insights.rates import RateTable
from modicum.metering.prices import PriceBook
from modicum.optimizers.cache_lifetimes import LONG_S, SHORT_S, PauseHistory, Ttl, TtlRates, decide_ttl

_SECONDS = {"5m": int(SHORT_S), "1h": int(LONG_S)}


def ttl_by_pauses(history: History, prices: PriceBook) -> Ints:
    """Seconds that each call's writes are to live; -1: as it was. The calls of a history count as one owner's. (C,)"""
    rates = RateTable(history, prices).per_call(
        history.model, history.models, history.tier, history.tiers, history.prompt.astype(np.float64)
    )[:, [TEXT_BUCKETS.index(f"cache_{name}") for name in ("read", "write_5m", "write_1h")]]
    able = find_rule_flags(history, lambda rules: {SHORT_S, LONG_S} <= set(rules.ttl_s))
    within_task = history.agent != history.code_of(history.agents, "")
    is_ok = history.status == history.code_of(history.statuses, "ok")
    written = history.cache_write_5m + history.cache_write_1h
    cached = history.cache_read + written
    number = np.cumsum(history.first) - 1
    kinds: defaultdict[tuple[int, int, bool], PauseHistory] = defaultdict(PauseHistory)
    decided: dict[tuple[int, int, bool], Ttl | None] = {}
    of_conversation: dict[int, Ttl | None] = {}
    before: dict[int, int] = {}
    ttl = np.full(history.calls, -1, dtype=np.int64)
    for call in np.argsort(history.started_s, kind="stable").tolist():
        kind = int(history.provider[call]), int(history.model[call]), bool(within_task[call])
        conversation = int(number[call])
        chosen = of_conversation.setdefault(conversation, decided.get(kind))
        if not able[call] or not cached[call]:
            continue
        if chosen is not None:
            ttl[call] = _SECONDS[chosen]
        if not is_ok[call]:
            continue
        pauses, last = kinds[kind], before.get(conversation)
        if last is None:
            pauses.record_first(int(written[call]))
        else:
            pause_s = float(history.started_s[call] - history.started_s[last])
            pauses.record_pause(pause_s, int(cached[last]), int(cached[call]))
        before[conversation] = call
        decided[kind] = decide_ttl(pauses, TtlRates(*rates[call].tolist()))
    return ttl
