"""The history with the guards against circles, which are the very rules of the gateway."""

import numpy as np
import pytest

from insights.planted import PRICES, Conversation, history_of, said, tool_round, user
from modicum.insights.changes.loop_guards import find_notes, guard_loops
from modicum.insights.finding import FindingClass
from modicum.insights.replay import Replay
from modicum.insights.what_if import parse_what_if
from modicum.optimizers.loop_guard import LOOP_NUDGE, LOOP_STOP, note

STUCK = tool_round("Read", "a.py", "text", 180)


def stuck(rounds, *, compacts_at=None):
    talk = Conversation().call(user("do", 1000))
    for number in range(rounds):
        (talk.compact if number == compacts_at else talk.call)(*STUCK)
    return talk.call(said("done"))


@pytest.mark.parametrize(("rule", "first"), [(LOOP_NUDGE, 3), (LOOP_STOP, 5)])
def test_rounds_behind_the_first_note_are_gone(rule, first):
    history = history_of(stuck(8))

    change = guard_loops(history, rule)

    # The call in which the first note stands asked for the next round: it goes, and so on; the last one goes on.
    assert np.flatnonzero(change.dropped_calls).tolist() == [*range(first, 8)]
    results = np.flatnonzero(history.segment_kind == history.code_of(history.kinds, "tool_result"))
    sizes = change.segment_tokens[results].tolist()
    assert sizes[: first - 1] == [180] * (first - 1)
    assert 20 < sizes[first - 1] < 100
    assert sizes[first:] == [0] * (8 - first)
    assert Replay(history, PRICES).run([change]).saving_usd > 0


def test_notes_are_those_that_the_gateway_would_write():
    notes = find_notes(history_of(stuck(6)), LOOP_STOP)

    assert list(notes.values()) == [note("Read", 5, 1), note("Read", 6, 1)]


@pytest.mark.parametrize("talk", [stuck(4), stuck(8, compacts_at=4), Conversation().call(user("q", 9))])
def test_nothing_is_stopped_where_the_gateway_would_stop_nothing(talk):
    assert guard_loops(history_of(talk), LOOP_STOP).is_nothing


def test_conversations_do_not_run_into_each_other():
    one, other = Conversation("a").call(*STUCK, user("do", 9)), Conversation("b")
    for _ in range(5):
        one.call(*STUCK)
        other.call(*STUCK)

    change = guard_loops(history_of(one, other), LOOP_STOP)

    assert change.dropped_calls is None
    assert (change.segment_tokens < history_of(one, other).segment_tokens).sum() == 2


def test_it_is_offered_as_an_upper_bound_that_says_what_it_rests_on():
    what_if = parse_what_if("rules=guard.loop_stop", history_of(stuck(8)), PRICES)

    assert what_if.finding_class is FindingClass.UPPER_BOUND
    assert "as if every agent had heeded" in what_if.notes[0]
