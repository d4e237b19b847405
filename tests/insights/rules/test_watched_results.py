"""Rules on tool results, by what they did while logs were read."""

from dataclasses import replace

import numpy as np
import pytest

from insights.planted import PRICES, Conversation, history_of, tool_round, user
from modicum.insights.replay import Replay
from modicum.insights.rules.watched_results import NO_NEED, explain_watched

UNREAD = "a ledger keeps none"


@pytest.fixture(scope="module")
def replays():
    """Three calls of a log, two with a result, of which one was cut to a quarter; and one of the gateway."""
    log = Conversation("a").call(user("go", 2000))
    log.call(*tool_round("Bash", "ls", "one", 4000)).call(*tool_round("Bash", "pwd", "two", 1000))
    history = history_of(log, Conversation("b", source="gateway").call(user("hi", 100)))
    is_cut = history.segment_tokens == 4000
    return Replay(replace(history, shortened_shares={"content.cut": np.where(is_cut, 0.25, 1.0)}), PRICES)


def explained(replays, rule, chosen=None, off=""):
    ids = replays.history.entry_ids
    return explain_watched(replays, rule, set(ids) if chosen is None else chosen, dict.fromkeys(ids, off), UNREAD)


def test_results_that_were_shortened_are_counted_and_replayed(replays):
    found = explained(replays, "content.cut")

    assert (found.calls, found.calls_on, found.tokens_removed, found.calls_undecided) == (1, 1, 3000, 1)
    assert found.expected_usd > 0
    assert found.why_not == {NO_NEED: 2, UNREAD: 1}


def test_one_call_has_no_replay_of_its_own_and_says_why_a_rule_is_off(replays):
    found = explained(replays, "content.cut", {"a.1"}, "it is lossy")

    assert (found.calls, found.calls_on, found.expected_usd, found.why_not) == (1, 0, None, {"it is lossy": 1})


def test_a_rule_beside_others_that_were_at_work_had_nothing_to_do(replays):
    assert explained(replays, "content.base64").why_not == {NO_NEED: 3, UNREAD: 1}
    assert explained(replays, "content.code_skeleton") is None  # nobody knows whether its packages were there
