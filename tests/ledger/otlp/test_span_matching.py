from datetime import UTC, datetime, timedelta

import pytest

from modicum.calls import Basis, Call, Owner, Usage
from modicum.ledger.otlp.span_matching import SpanMatcher

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)


def call(begins_s=0.0, ends_s=2.0, **more):
    told = {
        "call_id": "x",
        "source": "gateway",
        "provider": "openai",
        "model": "gpt-4o",
        "started": NOON + timedelta(seconds=begins_s),
        "finished": None if ends_s is None else NOON + timedelta(seconds=ends_s),
        "usage": Usage(100, output_visible=7),
        "owner": Owner(key="ci"),
    }
    return Call(**told | more)


@pytest.fixture
def matcher():
    matcher = SpanMatcher()
    matcher.add(call())
    return matcher


def test_a_call_within_the_spans_time_is_taken_once(matcher):
    assert [matcher.match(call(-0.1, 2.1)), matcher.match(call(-0.1, 2.1))] == [True, False]


def test_cached_tokens_may_be_told_in_other_buckets(matcher):
    assert matcher.match(call(usage=Usage(60, 40, output_reasoning=7)))


def test_a_span_without_counts_is_known_by_the_rest(matcher):
    assert not matcher.match(call(usage_basis=Basis.UNKNOWN, usage=Usage(), model="gpt-5"))
    assert matcher.match(call(usage_basis=Basis.UNKNOWN, usage=Usage()))
    assert not matcher.match(call())  # which is the same call of the gateway


@pytest.mark.parametrize(
    "other",
    [
        {"model": "gpt-5"},
        {"owner": Owner(key="other")},
        {"owner": Owner()},
        {"usage": Usage(101, output_visible=7)},
        {"begins_s": 1.5},
        {"ends_s": 0.5},
        {"ends_s": None},
    ],
)
def test_what_differs_is_another_call(matcher, other):
    assert not matcher.match(call(**other))


def test_as_many_are_taken_as_were_made(matcher):
    matcher.add(call(0.5, 1.5))

    assert [matcher.match(call()) for _ in range(3)] == [True, True, False]


def test_memory_is_bounded(matcher, monkeypatch):
    monkeypatch.setattr("modicum.ledger.otlp.span_matching.MOST_CALLS", 2)
    matcher.add(call(model="gpt-5"))
    matcher.add(call(model="gpt-5"))
    matcher.add(call(model="gpt-5"))

    assert not matcher.match(call())
    assert len(matcher._by_likeness) == 2
    assert [len(alike) for alike in matcher._by_likeness.values()] == [2, 2]
