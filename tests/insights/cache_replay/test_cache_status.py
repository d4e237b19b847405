from datetime import timedelta

import msgspec
import pytest

from insights.planted import PRICES
from ledger.samples import START, entry
from modicum.calls import Call, CallStatus, Usage
from modicum.insights.cache_replay.cache_status import CacheUse, cache_states, uses_of

OPUS = "claude-opus-4-5-20251101"


def call(at_s=0, conversation="c", model=OPUS, **usage):
    read = {"input_uncached": 0, "cache_read": 0, "cache_write_5m": 0, "cache_write_1h": 0} | usage
    return Call(
        call_id=f"{conversation}-{at_s}",
        source="test",
        provider="openai" if model.startswith("gpt") else "anthropic",
        model=model,
        started=START + timedelta(seconds=at_s),
        usage=Usage(**read),
        conversation=conversation,
        task=conversation,
    )


def states(*calls, now_s):
    return cache_states(uses_of(calls), START + timedelta(seconds=now_s), PRICES)


def test_a_warm_cache_says_how_long_and_what_the_next_turn_costs_warm_and_cold():
    (state,) = states(call(cache_write_5m=50_000), call(60, cache_read=50_000, cache_write_5m=2_000), now_s=100)

    assert (state.is_warm, state.age_s, state.left_s, state.cached_tokens) == (True, 40, 260, 52_000)
    assert state.warm_usd == pytest.approx(52_000 * 0.5e-6)
    assert state.cold_usd == pytest.approx(52_000 * 6.25e-6)
    assert state.lost_usd == pytest.approx(52_000 * 5.75e-6)


@pytest.mark.parametrize(
    ("calls", "ttl_s"),
    [
        ((call(cache_write_1h=9_000), call(9, cache_read=9_000)), 3600),
        ((call(cache_write_1h=9_000), call(9, cache_read=9_000, cache_write_5m=10)), 300),
        ((call(cache_read=9_000),), 300),
    ],
    ids=["what only read keeps the hour", "a new write decides", "nothing was seen written"],
)
def test_time_to_live_is_that_of_what_was_written(calls, ttl_s):
    (state,) = states(*calls, now_s=1000)

    assert (state.ttl_s, state.is_warm) == (ttl_s, ttl_s == 3600)


def test_conversations_stand_apart_the_latest_first_and_failed_calls_renew_nothing():
    failed = msgspec.structs.replace(call(500, "a", cache_read=9_000), status=CallStatus.ERROR)
    found = states(
        call(0, "a", cache_write_5m=9_000), failed, call(50, "b", cache_write_5m=9_000), call(60, "none"), now_s=320
    )

    assert [(state.conversation, state.is_warm) for state in found] == [("b", True), ("a", False)]


def test_a_cache_that_bills_no_writes_costs_input_when_cold_and_unknown_prices_stay_unknown():
    implicit, unknown = states(
        call(model="gpt-5.1", cache_read=9_000), call(model="mystery", cache_read=9_000), now_s=900
    )

    assert implicit.cold_usd == pytest.approx(9_000 * 1.25e-6)
    assert (unknown.warm_usd, unknown.cold_usd, unknown.lost_usd) == (None, None, None)


def test_the_ledger_knows_the_newest_calls_of_each_conversation(store):
    usage = Usage(10, 20, 0, 40, 50, 60)
    fields = {"model": OPUS, "conversation": "c", "usage": usage}
    store.append([entry(f"c{number}", started=START + timedelta(seconds=number), **fields) for number in range(12)])
    store.append([entry("bare", conversation="", model=OPUS), entry("failed", status=CallStatus.ERROR, **fields)])

    uses = [CacheUse.of_row(row) for row in store.ask("cache_newest", since=START)]

    assert [use.at for use in uses] == [START + timedelta(seconds=number) for number in range(4, 12)]
    assert uses[0].cached_tokens == CacheUse.of_call(entry(**fields).call).cached_tokens
    assert store.ask("cache_newest", since=START + timedelta(seconds=99)) == []
