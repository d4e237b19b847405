"""Conversations that begin alike at once: what all but one of them need not have written."""

from datetime import UTC, datetime, timedelta

import pytest

from insights.planted import PRICES, READ, WRITE, Conversation, history_of, said, schema, user
from modicum.calls import CallStatus
from modicum.insights.changes.written_once import count_waiting, write_once
from modicum.insights.replay import replay
from modicum.insights.what_if import parse_what_if

AT = datetime(2026, 2, 3, 12, tzinfo=UTC)


def conversation(name, seconds, *, tool="Bash", tokens=5000, **fields):
    talk = Conversation(name, start=AT + timedelta(seconds=seconds), task="t", agent=name)
    return talk.call(schema(tool, tokens), user(f"question {name}", 100), **fields).call(said("well"))


def test_all_but_the_first_of_a_fan_out_would_have_read():
    alike = [conversation(name, number / 2) for number, name in enumerate("abc")]
    history = history_of(*alike, conversation("d", 1, tool="X"))

    assert sorted(count_waiting(history).tolist()) == [0] * 6 + [5000, 5000]
    change = write_once(history, PRICES)
    assert -change.extra_usd.sum() == pytest.approx(2 * 5000 * (WRITE - READ))
    saved = replay(history, [parse_what_if("beginnings=written_once", history, PRICES).change], PRICES)
    assert saved.base.total_usd - saved.changed.total_usd == pytest.approx(2 * 5000 * (WRITE - READ))


@pytest.mark.parametrize(
    ("others", "waits"),
    [
        ([conversation("b", 3)], 0),  # the reply to the first has begun
        ([conversation("b", 400), conversation("c", 401)], 1),  # the cache has expired: one of these writes
        ([conversation("b", 1, model="claude-haiku-4-5")], 0),
        ([conversation("b", 1, status=CallStatus.ERROR)], 1),
    ],
)
def test_only_what_came_before_the_reply_had_begun(others, waits):
    assert (count_waiting(history_of(conversation("a", 0), *others)) > 0).sum() == waits


def test_where_the_first_one_failed_the_next_one_writes():
    failed = conversation("a", 0, status=CallStatus.ERROR)

    assert count_waiting(history_of(failed, conversation("b", 3), conversation("c", 4))).sum() == 5000


def test_short_and_unknown_beginnings_count_for_nothing():
    short = [conversation(name, 0, tokens=100) for name in "ab"]
    bare = [Conversation(name, start=AT, task="t").call(user("question", 9000)) for name in "cd"]

    assert count_waiting(history_of(*short, *bare)).sum() == 0
    assert write_once(history_of(*short), PRICES).is_nothing
