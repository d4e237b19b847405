from datetime import timedelta

import pytest

from insights.planted import OUT, PLAIN, START, Conversation, history_of, user
from modicum.calls import CallStatus
from modicum.insights.findings.duplicate_requests import find


def lone(name, text="translate this", at=0.0, task="job", **fields):
    return Conversation(name, cached=False, start=START + timedelta(seconds=at), task=task).call(
        user(text, 1000), **fields
    )


def test_the_same_request_within_the_hour_is_paid_once_too_often():
    found = find(history_of(lone("a"), lone("b", at=60), lone("c", "another", at=90)))

    assert (found.calls, found.examples) == (1, ("b.0",))
    assert found.gross_usd == pytest.approx(1000 * PLAIN + 30 * OUT)


@pytest.mark.parametrize(
    "second",
    [
        {"at": 1},  # sent before the first was answered: sampling
        {"at": 7200},  # two hours later
        {"at": 60, "task": "other job"},  # another trial
        {"at": 60, "model": "claude-haiku-4-5"},
        {"at": 60, "tags": {"cost_class": "keep_warm"}},  # a ping
    ],
)
def test_what_is_meant_to_be_sent_twice_is_no_duplicate(second):
    assert find(history_of(lone("a"), lone("b", **second))).calls == 0


def test_a_retry_after_a_failure_is_no_duplicate():
    assert find(history_of(lone("a", status=CallStatus.ERROR), lone("b", at=60))).calls == 0


def test_usage_without_anatomy_says_what_it_lacks():
    assert "digests" in find(history_of(lone("a", anatomy=None), lone("b", at=60, anatomy=None))).lacks
