import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modicum.calls.facts import Facts
from modicum.calls.prompt import VOLATILE_NOTE, AnatomyPrompt, NotHeld
from modicum.calls.rule import RuleEffect
from modicum.metering.prices import PriceBook
from modicum.optimizers.cache_preparation import BREAKPOINTS
from modicum.optimizers.running import RequestCall, run_rules
from modicum.optimizers.volatile_facts import VOLATILE_FACTS, find_volatile_lines, with_volatile_lines_last
from modicum.providers.dialects import DIALECTS

FACTS = Facts(
    at=datetime(2026, 11, 30, tzinfo=UTC),
    model="claude-opus-5-5",
    turn=1,
    later_calls=4.0,
    rates=lambda _: PriceBook().rates("anthropic", "claude-opus-5-5", FACTS.at),
)
STABLE = "Answer in one sentence, and name your source.\n" * 300
FACTS_LINES = [
    "Today's date: 2026-11-30",
    "Session id: 0f8fad5b-d9cb-469f-a165-70867728950e",
    "Working directory: /home/ada/shop",
    "Current branch: main",
]
INSTRUCTIONS = "You help.\n" + "\n".join(FACTS_LINES) + "\n" + STABLE
ORDINARY = [
    "Dates are written as 2026-11-30, and times as 12:03.",
    "The working directory must not be left.",
    "An id has 36 characters, as 0f8fad5b-d9cb-469f-a165-70867728950e.",
    "Update the branch before you commit.",
    "Run the tests at the end.",
]


def run(rules, body, dialect="anthropic-messages"):
    call = RequestCall(DIALECTS[dialect], json.dumps(body).encode(), FACTS)
    assert {one.effect for one in run_rules(rules, call)} <= {RuleEffect.CHANGED}
    return json.loads(call.body)


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        *zip(FACTS_LINES, ("date", "id", "folder", "git"), strict=True),
        ("- **Current time:** 12:03:11", "date"),
        ("The current date and time is Nov 30, 2026", "date"),
        ("<cwd>/home/ada</cwd>", "folder"),
        ("  cwd = C:\\shop", "folder"),
        ("trace_id=0f8fad5bd9cb469fa16570867728950e", "id"),
        ("gitStatus: M a.py", "git"),
    ],
)
def test_what_changes_is_known_by_its_kind(line, kind):
    assert [one.kind for one in find_volatile_lines(f"You help.\n{line}\nBe brief.")] == [kind]


@pytest.mark.parametrize("line", ORDINARY)
def test_a_sentence_is_no_such_fact(line):
    assert find_volatile_lines(line) == []


def test_these_lines_come_last_and_all_stays():
    after = run([VOLATILE_FACTS], {"system": INSTRUCTIONS, "messages": [{"role": "user", "content": "hi"}]})["system"]

    assert after == "\n".join(["You help.", *STABLE.split("\n"), VOLATILE_NOTE, *FACTS_LINES])
    tomorrow = INSTRUCTIONS.replace("2026-11-30", "2026-12-01").replace("0f8fad5b", "1f8fad5b")
    assert with_volatile_lines_last(tomorrow).partition(VOLATILE_NOTE)[0] == after.partition(VOLATILE_NOTE)[0]


def test_the_mark_of_the_cache_stands_in_front_of_them():
    messages = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "yes"}]
    body = {"system": INSTRUCTIONS, "messages": [*messages, {"role": "user", "content": STABLE}]}

    stable, volatile = run([VOLATILE_FACTS, BREAKPOINTS], body)["system"]

    assert stable["cache_control"] == {"type": "ephemeral"}
    assert "2026-11-30" not in stable["text"]
    assert volatile == {"type": "text", "text": "\n".join([VOLATILE_NOTE, *FACTS_LINES])}


@pytest.mark.parametrize("dialect", ["openai-chat", "openai-responses"])
def test_other_apis_have_their_instructions_elsewhere(dialect):
    asked = {"role": "user", "content": "hi"}
    body = {
        "openai-chat": {"messages": [{"role": "system", "content": INSTRUCTIONS}, asked]},
        "openai-responses": {"instructions": INSTRUCTIONS, "input": [asked]},
    }[dialect]

    after = run([VOLATILE_FACTS], body, dialect)

    moved = with_volatile_lines_last(INSTRUCTIONS)
    assert moved in {after.get("instructions"), after.get("messages", [{}])[0].get("content")}


def test_what_a_caller_marks_or_says_later_stays_and_a_ledger_cannot_say():
    block = {"type": "text", "text": INSTRUCTIONS, "cache_control": {"type": "ephemeral"}}
    for body in (
        {"system": [block], "messages": [{"role": "user", "content": "hi"}]},
        {"system": "\n".join(FACTS_LINES), "messages": [{"role": "user", "content": INSTRUCTIONS}]},
    ):
        assert run([VOLATILE_FACTS], body) == body
    with pytest.raises(NotHeld):
        VOLATILE_FACTS.decide(AnatomyPrompt([]), FACTS)


LINES = st.one_of(
    st.sampled_from([*FACTS_LINES, *ORDINARY, VOLATILE_NOTE, "", "שלום 2026-11-30", "日付: 2026-11-30", "x" * 5000]),
    st.text(max_size=30).map(lambda line: line.replace("\n", " ")),
)


@given(st.lists(LINES, max_size=30), st.booleans())
def test_every_line_stays_once_and_moving_again_moves_nothing(lines, is_long):
    text = "\n".join([*lines, *(STABLE.split("\n") if is_long else [])])

    moved = with_volatile_lines_last(text)

    before, after = sorted(text.split("\n")), sorted(moved.split("\n"))
    assert after == (before if moved == text else sorted([*before, VOLATILE_NOTE]))
    assert with_volatile_lines_last(moved) == moved
