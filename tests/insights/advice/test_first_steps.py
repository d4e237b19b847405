import numpy as np
import pytest

from insights.planted import PRICES, Conversation, history_of, tool_round, user
from modicum.insights.advice.client_advice import load_client_advice
from modicum.insights.advice.first_steps import AdvisedFinding, rank_steps
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
