"""One conversation is one conversation, whichever door it comes through."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from context.doors import AGENTS, FRONT, NO_ERRORS, ONE_CALL_A_ROUND, SPLIT, WHOLE, Item, Talk, contexts, shown
from insights.planted import EVER
from modicum.insights.findings import FINDINGS, load_detector
from modicum.insights.history import load
from modicum.ledger.booking import book
from modicum.ledger.opening import open_store
from modicum.metering.prices import PriceBook

TEXTS = st.text(st.sampled_from('ab é{}":1\n'), min_size=1, max_size=12).filter(str.strip)
VALUES = st.recursive(
    st.booleans() | st.integers(-9, 9) | st.sampled_from(["a", "é", "{}"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("xyz"), inner, max_size=3),
    max_leaves=4,
)
TOOLS = ("Read", "Delete", "grep")
ARGUMENTS = st.dictionaries(st.sampled_from("pqr"), VALUES, max_size=3)
ROUND = st.lists(st.tuples(st.sampled_from(TOOLS), ARGUMENTS, TEXTS, st.booleans()), min_size=1, max_size=2)
TURN = st.tuples(TEXTS, st.lists(ROUND, max_size=3), TEXTS)
SCHEMA = {"type": "object", "properties": {"p": {"type": "string", "description": "A path."}}, "required": ["p"]}


@st.composite
def talks(draw):
    items, calls = [], 0
    for asked, rounds, answered in draw(st.lists(TURN, min_size=1, max_size=3)):
        items.append(Item("user", asked))
        for called in rounds:
            names = [f"call_{calls + place}" for place in range(len(called))]
            calls += len(called)
            told = list(zip(names, called, strict=True))
            items += [Item("call", "", name, tool, arguments) for name, (tool, arguments, *_) in told]
            items += [Item("result", text, name, tool, None, failed) for name, (tool, _, text, failed) in told]
        items.append(Item("assistant", answered))
    tools = [(name, f"What {name} does.", SCHEMA) for name in draw(st.lists(st.sampled_from(TOOLS), unique=True))]
    return Talk(draw(TEXTS), tools, items, draw(st.integers(0, 1000)))


def through(door, talk, **options):
    with TemporaryDirectory() as folder:
        return door(talk, Path(folder), **options)


@settings(max_examples=settings.default.max_examples // 4)
@given(talks())
def test_one_conversation_has_the_same_segments_through_every_door(talk):
    expected = None
    for name, door in WHOLE.items():
        found = contexts(through(door, talk))
        parts = [[shown(part) for part in context] for context in found]
        expected = expected or parts
        assert parts == expected, name
        assert len(found) == len(talk.ends)
        if not name.endswith(NO_ERRORS):
            failed = [item.is_error for item in talk.items if item.role == "result"]
            told = [part.is_error for part in found[-1] if part.kind == "tool_result"]
            assert told == failed[: len(told)], name


@settings(max_examples=settings.default.max_examples // 4)
@given(talks())
def test_a_context_that_grew_is_kept_through_every_door(talk):
    for name, door in WHOLE.items():
        calls = through(door, talk)
        sizes = [len(context) for context in contexts(calls)]
        assert [call.anatomy.kept_segments for call in calls] == [0, *sizes[:-1]], name
        assert {call.anatomy.break_cause for call in calls} == {""}, name
        assert len({call.conversation or call.task for call in calls}) == 1, name


@settings(max_examples=settings.default.max_examples // 4)
@given(talks(), st.integers(2, 3))
def test_a_conversation_that_lies_in_several_files_is_one(talk, files):
    for name, door in SPLIT.items():
        whole, split = through(door, talk), through(door, talk, files=files)
        assert [call.anatomy for call in split] == [call.anatomy for call in whole], name


@settings(max_examples=settings.default.max_examples // 4)
@given(talks())
def test_agents_logs_have_the_segments_of_what_was_said(talk):
    whole = contexts(through(WHOLE["recorded anthropic"], talk))
    for name, door in AGENTS.items():
        if name in ONE_CALL_A_ROUND and not talk.is_in_single_file:
            continue
        expected = [[shown(part, tokens=False) for part in context if part.kind not in FRONT] for context in whole]
        calls = through(door, talk)
        found = [
            [shown(part, tokens=False) for part in context if part.kind not in FRONT] for context in contexts(calls)
        ]
        assert found == expected, name
        assert {call.anatomy.break_cause for call in calls} == {""}, name


def ten_reads():
    """An agent that reads one unchanged file ten times."""
    items = [Item("user", "What does it say?")]
    for number in range(10):
        items.append(Item("call", "", f"c{number}", "Read", {"path": "a.txt", "limit": 9}))
        items.append(Item("result", "A line of the file.\n" * 60, f"c{number}", "Read"))
    return Talk("Be brief.", [("Read", "Reads a file.", SCHEMA)], [*items, Item("assistant", "A line.")])


def audited(calls):
    """What each finding says of them: calls, tokens and parts of segments."""
    store = open_store(":memory:")
    prices = PriceBook()
    store.append([book(call, prices) for call in calls])
    history = load(store, *EVER)
    store.close()
    found = [load_detector(name)(history) for name in FINDINGS]
    return {one.name: (one.calls, one.tokens, one.details) for one in found if one.calls}


def test_the_audit_finds_ten_reads_of_one_file_through_every_door():
    talk = ten_reads()
    found = {name: audited(through(door, talk)) for name, door in (WHOLE | AGENTS).items()}

    calls, tokens, details = found["recorded anthropic"]["reread_files"]
    assert (calls, details) == (9, {"reads": 9})
    assert tokens > 9 * 1200
    for name, findings in found.items():
        assert findings["reread_files"][0] == 9, name
        if name in WHOLE:
            assert findings["reread_files"] == found["recorded anthropic"]["reread_files"], name


@pytest.mark.parametrize("dialect", ["anthropic", "chat", "responses"])
def test_the_gateway_and_the_recorded_bodies_of_a_dialect_are_audited_alike(dialect):
    bodies, live = (audited(through(WHOLE[f"{door} {dialect}"], ten_reads())) for door in ("recorded", "gateway"))

    del bodies["unread_results"]  # is found while a file's texts pass; a gateway holds none
    assert live == bodies
