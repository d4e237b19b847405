import math
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modicum.calls.change import NO_CHANGE
from modicum.calls.facts import Facts
from modicum.optimizers.cache_lifetimes import (
    FEWEST_PAUSES,
    LONGER,
    MOST_PAUSES,
    SHORTER,
    DecidedTtl,
    PauseHistory,
    TtlRates,
    decide_ttl,
)

RATES = TtlRates(1.0, 12.5, 20.0)
"""As one token of input at 10."""


def history_of(*pauses_s, held=1_000, new=100):
    history = PauseHistory()
    history.record_first(held)
    for pause_s in pauses_s:
        history.record_pause(pause_s, held, held + new)
    return history


def test_an_hour_where_calls_come_back_within_it_and_five_minutes_where_they_do_at_once_or_never():
    assert decide_ttl(history_of(*[1800] * FEWEST_PAUSES), RATES) == "1h"
    assert decide_ttl(history_of(*[10] * FEWEST_PAUSES), RATES) == "5m"
    assert decide_ttl(history_of(*[7200] * FEWEST_PAUSES), RATES) == "5m"


def test_costs_are_those_of_the_pauses():
    history = history_of(10, 300, 301, 3600, 3601)

    new = 1_000 + 5 * 100
    assert history.cost("5m", RATES) == (new + 3_000) * 12.5 + 2_000 * 1
    assert history.cost("1h", RATES) == (new + 1_000) * 20 + 4_000 * 1


def test_what_was_lost_from_the_cache_is_no_pause_of_what_is_left():
    history = PauseHistory()
    history.record_pause(10, 1_000, 400)

    assert (history.short_tokens, history.new_tokens) == (400, 0)


@pytest.mark.parametrize(
    "rates",
    [None, TtlRates(1, 12.5, 12.5), TtlRates(1, 20, 12.5), TtlRates(1, math.nan, 20), TtlRates(1, 1, math.inf)],
)
def test_without_two_prices_nothing_is_decided(rates):
    assert decide_ttl(history_of(*[1800] * FEWEST_PAUSES), rates) is None


def test_few_pauses_and_small_differences_decide_nothing():
    assert decide_ttl(history_of(*[1800] * (FEWEST_PAUSES - 1)), RATES) is None
    assert decide_ttl(history_of(*[10] * FEWEST_PAUSES, held=0, new=0), RATES) is None
    assert decide_ttl(history_of(*[10] * FEWEST_PAUSES, held=100_000, new=1), RATES) == "5m"
    assert decide_ttl(history_of(*[10] * FEWEST_PAUSES, held=100_000, new=1), RATES._replace(write_1h=13)) is None


@settings(max_examples=30, deadline=None)
@given(
    pauses=st.lists(st.floats(0, 10_000), max_size=30),
    held=st.integers(0, 10**6),
    write=st.floats(1, 100),
    more=st.floats(0.01, 100),
)
def test_what_is_decided_costs_less(pauses, held, write, more):
    history, rates = history_of(*pauses * 10, held=held), TtlRates(1.0, write, write + more)
    decided = decide_ttl(history, rates)
    costs = {ttl: history.cost(ttl, rates) for ttl in ("5m", "1h")}

    assert decided is None or costs[decided] == min(costs.values()) < max(costs.values())


def test_old_habits_are_forgotten():
    history = history_of(*[10] * int(MOST_PAUSES + 1))

    assert history.pauses == (MOST_PAUSES + 1) / 2
    for _ in range(int(MOST_PAUSES)):
        history.record_pause(1800, 1_000, 1_100)
    assert decide_ttl(history, RATES) == "1h"


def facts(turn, decided=None, before=None):
    at = datetime(2026, 2, 3, tzinfo=UTC)
    return Facts(at=at, model="m", provider="p", turn=turn, rules_before=before, features=(DecidedTtl(decided),))


def test_a_conversation_keeps_the_time_with_which_it_began():
    assert SHORTER.decide(None, facts(0, "5m")).shortens_cache_marks
    assert LONGER.decide(None, facts(0, "1h")).lengthens_cache_marks
    assert LONGER.decide(None, facts(3, "5m", frozenset({LONGER.name}))).lengthens_cache_marks
    for unchanged in (facts(0), facts(0, "1h"), facts(1, "5m", frozenset()), facts(None, "5m")):
        assert SHORTER.decide(None, unchanged) is NO_CHANGE
