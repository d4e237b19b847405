from dataclasses import fields

import numpy as np
import pytest

from insights.planted import PRICES, Conversation, history_of, tool_round, user
from modicum.insights.advice.client_advice import load_client_advice
from modicum.insights.advice.first_steps import AdvisedFinding, limit_to_client, rank_steps
from modicum.insights.finding import FindingClass, HistoryChange
from modicum.insights.replay import Replay
from modicum.insights.what_if import parse_what_if

ADVICE = [one for one in load_client_advice() if one.client == "claude-code"]


def reading(name, source):
    talk = Conversation(name, model="claude-opus-4-5", source=source).call(user(f"q{name}", 5000))
    talk = talk.call(*tool_round("Read", name, f"text {name}", 30_000)).call(user(f"more {name}", 10))
    return talk.call(user(f"and more {name}", 10))


HISTORY = history_of(reading("a", "claude-code"))
MIXED = history_of(reading("a", "claude-code"), reading("b", "litellm"))


def finding(change, finding_class=FindingClass.REPLAYED):
    return AdvisedFinding(finding_class=finding_class, change=change)


def cut(history, tokens):
    return HistoryChange(segment_tokens=np.maximum(history.segment_tokens - tokens, 0))


def test_the_dollars_are_those_of_the_very_setting():
    replays = Replay(HISTORY, PRICES)
    steps = rank_steps(ADVICE, {"carried_results": finding(cut(HISTORY, 9_000))}, replays, PRICES)

    change = parse_what_if("cap_tool_results:Read=8000", HISTORY, PRICES).change
    assert [step.name for step in steps] == ["cap-reads"]  # no command, no server, no hook had a result to cut
    assert steps[0].saving_usd == pytest.approx(replays.run([change]).saving_usd)
    assert steps[0].finding_class is FindingClass.HEADROOM


def test_a_setting_of_one_agent_changes_no_other_program():
    both = Replay(MIXED, PRICES).run([parse_what_if("cap_tool_results:Read=8000", MIXED, PRICES).change])

    (step,) = rank_steps(ADVICE, {"carried_results": finding(None)}, Replay(MIXED, PRICES), PRICES)

    assert step.saving_usd == pytest.approx(both.saving_usd / 2, rel=1e-6)


def test_what_saves_most_comes_first_and_the_vendors_part_last():
    found = {
        "prefix_break": finding(cut(HISTORY, 4_000), FindingClass.UPPER_BOUND),
        "reread_files": finding(cut(HISTORY, 500)),
        "ttl_expiry": finding(cut(HISTORY, 2_000)),
    }

    steps = rank_steps(ADVICE, found, Replay(HISTORY, PRICES), PRICES)

    assert [step.name for step in steps] == ["cache-hour", "no-second-reads", "unbroken-caches"]
    assert steps[0].saving_usd < steps[2].saving_usd


def test_what_saves_nothing_or_cannot_be_replayed_is_no_step():
    found = {
        "reread_files": finding(HistoryChange()),
        "ttl_expiry": finding(None),
        "excess_output": finding(cut(HISTORY, 4_000)),  # its setting is not what the finding replays
        "unread_results": finding(cut(HISTORY, 0)),
    }

    assert rank_steps(ADVICE, found, Replay(HISTORY, PRICES), PRICES) == []


def test_every_part_of_a_change_is_limited():
    """A new kind of change must say what it is for calls of other programs."""
    calls, segments = MIXED.calls, MIXED.segments
    whole = HistoryChange(
        segment_tokens=np.zeros(segments, np.int64),
        dropped_calls=np.ones(calls, bool),
        ttl_seconds=np.full(calls, 3600),
        pings=np.ones(calls, np.int64),
        models={"a": "b"},
        tier="batch",
        unbroken=np.ones(calls, bool),
        max_output_tokens=np.zeros(calls, np.int64),
        prompt_shift=np.ones(calls),
        starts_over=np.ones(calls, bool),
        goes_on=np.ones(calls, bool),
        conversation=MIXED.conversation + 100,
        extra_usd=np.ones(calls),
    )
    other = MIXED.source == MIXED.code_of(MIXED.sources, "litellm")
    limited = limit_to_client(whole, MIXED, "claude-code")

    assert {field.name for field in fields(HistoryChange)} == {*vars(limited)}
    neutral = {"ttl_seconds": -1, "max_output_tokens": np.iinfo(np.int64).max}
    for name, value in vars(limited).items():
        if name == "segment_tokens":
            assert (value[other[MIXED.segment_call]] == MIXED.segment_tokens[other[MIXED.segment_call]]).all()
        elif name == "conversation":
            assert (value[other] == MIXED.conversation[other]).all()
        elif isinstance(value, np.ndarray):
            assert (value[other] == neutral.get(name, 0)).all(), name
        else:
            assert name in {"models", "tier"}
