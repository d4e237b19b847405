"""Circles are seen where nothing new comes, and nowhere else."""

from datetime import UTC, datetime

import pytest

from modicum import optimize
from modicum.calls import Segment, SegmentKind
from modicum.calls.facts import Facts
from modicum.calls.prompt import AnatomyPrompt
from modicum.optimizers.loop_guard import LOOP_NUDGE, LOOP_STOP, ONCE, ToolRound, note, repetition, waits

GUARD = ["guard"]
FACTS = Facts(at=datetime(2026, 11, 1, tzinfo=UTC), model="")


def rounds(text):
    """`aA` is call a with result A; a dot waits."""
    return [ToolRound(one[0].encode(), one[1].encode(), one.endswith(".")) for one in text.split()]


@pytest.mark.parametrize(
    ("text", "times", "period"),
    [
        ("", 1, 1),
        ("aA", 1, 1),
        ("aA aA", 2, 1),
        ("aA aA aA", 3, 1),
        ("aA aA aA aA aA", 5, 1),
        ("aA aA aB", 1, 1),  # another result
        ("aA bA aA", 1, 1),
        ("aA bB aA bB", 1, 1),  # two turns happen by care: read, edit, read again
        ("aA bB aA bB aA bB", 3, 2),  # ping-pong
        ("aA bB aA bC aA bB", 1, 1),
        ("xX aA bB cC aA bB cC aA bB cC", 3, 3),
        ("aA bB cC dD " * 3, 3, 4),
        ("aA bB cC dD eE " * 4, 4, 5),
        ("aA bB cC dD eE fF " * 3, 3, 6),
        ("aA bB cC dD eE fF gG " * 3, 1, 1),
        ("aA. aA. aA.", 1, 1),  # polling
        ("aA bB. aA bB. aA bB.", 1, 1),
    ],
)
def test_a_circle_is_the_same_calls_with_the_same_results_again(text, times, period):
    assert repetition(rounds(text)) == (times, period)


def test_what_nobody_knows_is_in_no_circle():
    assert repetition([ToolRound(b"", b"A")] * 5) == repetition([ToolRound(b"a", b"")] * 5) == ONCE


def test_tools_that_wait_and_errors_that_pass_are_left_alone():
    assert all(waits(tool, "x") for tool in ("sleep", "BashOutput", "get_job_status", "TaskOutput", "wait_for_build"))
    assert not any(waits(tool, "x") for tool in ("Read", "search_flights", "catalog", "transfer_to_human_agents"))
    assert waits("Read", "Error: HTTP 429 rate limit")
    assert waits("Read", "the request timed out")
    assert not waits("Read", "Error: no such file")
    assert not waits("Read", "def retry_on_429(): " * 100)  # a file that speaks of it


def conversation(results, tool="Read", user_at=None):
    messages = [{"role": "user", "content": "fix it"}]
    for number, (given, text) in enumerate(results):
        if number == user_at:
            messages.append({"role": "user", "content": "again, please"})
        block = {"type": "tool_use", "id": f"t{number}", "name": tool, "input": {"path": given}}
        messages.append({"role": "assistant", "content": [block]})
        answer = {"type": "tool_result", "tool_use_id": f"t{number}", "content": text}
        messages.append({"role": "user", "content": [answer]})
    return messages


def texts(messages, **options):
    result = optimize(messages, on=GUARD, **options)
    blocks = [one["content"][0] for one in result.messages if isinstance(one["content"], list)]
    return [block["content"] for block in blocks if block["type"] == "tool_result"]


def test_the_third_and_fourth_say_so_and_from_the_fifth_on_nothing_is_shown():
    shown = texts(conversation([("a.py", "text")] * 7))

    assert shown[:2] == ["text", "text"]
    assert "3 times in a row" in shown[2]
    assert "4 times in a row" in shown[3]
    assert all("stopped" in text for text in shown[4:])
    assert texts(conversation([("a.py", "text")] * 7), off=["guard.loop_stop"])[4:] == ["text"] * 3


def test_it_makes_the_same_of_a_result_while_the_conversation_grows():
    long = texts(conversation([("a.py", "text")] * 6))

    assert [texts(conversation([("a.py", "text")] * count)) for count in range(1, 7)] == [
        long[:count] for count in range(1, 7)
    ]


def test_a_word_of_the_user_another_result_and_waiting_begin_anew():
    same = [("a.py", "text")] * 4

    assert texts(conversation(same, user_at=2)) == ["text"] * 4
    assert texts(conversation(same, tool="BashOutput")) == ["text"] * 4
    assert texts(conversation([("a.py", f"text {number}") for number in range(4)])) == [f"text {n}" for n in range(4)]
    assert texts(conversation([(f"{number}.py", "text") for number in range(4)])) == ["text"] * 4


def test_what_an_agent_writes_as_the_user_is_no_word_of_the_user():
    messages = conversation([("a.py", "text")] * 3)
    messages[4]["content"].append({"type": "text", "text": "<system-reminder>be brief</system-reminder>"})

    assert "3 times" in texts(messages)[2]


def test_nothing_of_it_runs_unless_it_is_chosen_and_it_is_idempotent():
    messages = conversation([("a.py", "text")] * 6)

    assert not optimize(messages).is_changed
    once = optimize(messages, on=GUARD)
    assert [one.rule for one in once.applied] == ["guard.loop_stop", "guard.loop_nudge"]
    assert optimize(once.messages, on=GUARD).messages == once.messages


def test_a_ledger_without_text_shows_what_guards_would_have_done():
    def segments(digest, *, is_error=False):
        call = Segment(SegmentKind.TOOL_CALL, 5, digest=b"c", tool="Read", detail=b"d")
        return [call, Segment(SegmentKind.TOOL_RESULT, 50, digest=digest, tool="Read", detail=b"d", is_error=is_error)]

    loop = AnatomyPrompt(segments(b"r") * 5)
    failing = AnatomyPrompt(segments(b"r", is_error=True) * 5)

    assert set(LOOP_NUDGE.decide(loop, FACTS).replaced) == {5, 7}
    assert set(LOOP_STOP.decide(loop, FACTS).replaced) == {9}
    assert LOOP_STOP.decide(failing, FACTS).is_nothing  # nobody knows whether the error passes


def test_notes_name_the_circle():
    assert "the same 4 calls in a circle, 3 times" in note("", 3, 4)
    assert "the same call of this tool" in note("", 3, 1)
