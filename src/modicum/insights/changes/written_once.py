"""The history with beginnings written once: first calls that begin alike wait for the one that writes their beginning,
by the very code of the gateway. What those have written that waited, they would have read.
"""

from collections.abc import Hashable, Iterator
from datetime import UTC, datetime
from heapq import heappop, heappush

import numpy as np

from modicum.calls.usage import TEXT_BUCKETS
from modicum.insights.finding import HistoryChange
from modicum.insights.history import Floats, History, Ints
from modicum.insights.rates import RateTable
from modicum.insights.segment_costs import find_codes, is_kind
from modicum.metering.beginning_writers import BeginningTurn, BeginningWriters
from modicum.metering.prices import PriceBook
from modicum.metering.prompt_cache import find_rules

SHORT_S, LONG_S = 300.0, 3600.0


def write_once(history: History, prices: PriceBook) -> HistoryChange:
    """What is not written a second time, as dollars; the calls of a history count as one owner's."""
    saved = saved_usd(history, prices, count_waiting(history))
    return HistoryChange(extra_usd=-saved) if saved.any() else HistoryChange()


def saved_usd(history: History, prices: PriceBook, tokens: Ints) -> Floats:
    """Dollars less where so many tokens of each call were read, and not written; 0 where no price is known. (C,)"""
    rates = RateTable(history, prices).per_call(
        history.model, history.models, history.tier, history.tiers, history.prompt.astype(np.float64)
    )
    read, short, long = (rates[:, TEXT_BUCKETS.index(f"cache_{name}")] for name in ("read", "write_5m", "write_1h"))
    written = np.where(history.cache_write_1h > history.cache_write_5m, long, short)
    return np.nan_to_num(tokens * (written - read))


def count_waiting(history: History) -> Ints:
    """For every call the tokens that it wrote and would have read, had it waited for another one. (C,)"""
    tokens, writers = np.zeros(history.calls, dtype=np.int64), BeginningWriters()
    is_ok = np.isin(history.status, find_codes(history.statuses, "ok"))
    begun: list[tuple[float, int, Hashable]] = []
    for call, key, length in _first_calls(history):
        now_s = float(history.started_s[call])
        while begun and begun[0][0] <= now_s:
            at_s, writer, of_writer = heappop(begun)
            if is_ok[writer]:
                writers.reply_begun(of_writer, at_s, LONG_S if history.cache_write_1h[writer] else SHORT_S)
            else:
                writers.failed(of_writer, writer)
        turn = writers.turn(key, call, now_s)
        if turn is BeginningTurn.WAITS:
            tokens[call] = min(length, int(history.cache_write_5m[call] + history.cache_write_1h[call]))
        elif turn is BeginningTurn.WRITES:
            at_s = np.nanmin([history.first_token_s[call], history.finished_s[call], np.inf])
            heappush(begun, (float(at_s), call, key))
    return tokens


def _first_calls(history: History) -> Iterator[tuple[int, Hashable, int]]:
    """First calls of conversations, in order of time, whose beginning is on record and long enough to be cached: with
    what tells it from others, and its tokens.
    """
    is_stable = is_kind(history, "system", "tool_schema", "prefix")
    bounds = np.searchsorted(history.segment_call, np.arange(history.calls + 1))
    firsts = np.flatnonzero(history.first)
    for call in firsts[np.argsort(history.started_s[firsts], kind="stable")].tolist():
        start, end = int(bounds[call]), int(bounds[call + 1])
        while end > start and not is_stable[start:end].all():
            end = start + int(np.argmin(is_stable[start:end]))
        digests = history.segment_digest[start:end]
        length = int(history.segment_tokens[start:end].sum())
        model = history.models[history.model[call]]
        rules = find_rules(model, datetime.fromtimestamp(float(history.started_s[call]), UTC).date())
        if rules is not None and len(digests) and digests.all() and length >= rules.minimum:
            yield call, (int(history.provider[call]), model, *digests.tolist()), length
