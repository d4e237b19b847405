"""Edits of tool results, by what became of their tasks."""

from dataclasses import replace

import numpy as np

from insights.planted import START, Conversation, history_of, tool_round, user
from modicum.calls import Outcome
from modicum.insights.changes.edits_by_outcome import sum_edits_by_outcome


def test_edits_are_summed_on_tasks_that_passed_and_failed():
    talks = [Conversation(name).call(user(name, 100)).call(*tool_round("Bash", name, name, 1000)) for name in "abc"]
    outcomes = [
        Outcome(outcome_id=name, task=name, name="ok", value=value, time=START)
        for name, value in (("a", 1.0), ("b", 0.0))
    ]
    history = history_of(*talks, outcomes=outcomes)
    half = np.where(history.segment_tokens == 1000, 0.5, 1.0)
    shares = {"content.cut": half, "content.repeats": np.ones(history.segments)}

    (row,) = sum_edits_by_outcome(replace(history, shortened_shares=shares))

    assert (row.rule, row.tasks_passed, row.tasks_failed) == ("content.cut", 1, 1)
    assert (row.tokens_passed, row.share_passed, row.tokens_failed, row.share_failed) == (500, 0.5, 500, 0.5)
    assert sum_edits_by_outcome(replace(history_of(*talks), shortened_shares=shares)) == []
