import pytest

from insights.planted import READ, WRITE, Conversation, history_of, said, tool_round, user
from modicum.calls import Segment, SegmentKind
from modicum.insights.findings.unused_tools import find


def schema(name, tokens):
    return Segment(SegmentKind.TOOL_SCHEMA, tokens, name.encode().ljust(16), name)


def talk(calls, name="t", **fields):
    made = Conversation(name, **fields).call(schema("Read", 400), schema("Deploy", 600), user("do", 50))
    made.call(*tool_round("Read", "a.py", "text"))
    for number in range(calls - 2):
        made.call(said(f"step {number}"))
    return made


def test_a_schema_that_no_call_used_pays_rent_all_the_way():
    found = find(history_of(talk(30)))

    assert found.details == {"tools_shown": 2, "tools_unused": 1}
    assert found.gross_usd == pytest.approx(600 * WRITE + 29 * 600 * READ)
    assert "Deploy" in found.remedy


def test_too_few_calls_are_no_evidence():
    assert find(history_of(talk(29))).calls == 0


def test_agents_are_judged_apart_and_their_conversations_together():
    quick = talk(15, "a", agent="quick"), talk(15, "b", agent="quick")
    uses = Conversation("c", agent="quick").call(*tool_round("Deploy", "now", "done"))

    assert find(history_of(*quick)).details["tools_unused"] == 1
    assert find(history_of(*quick, uses)).details["tools_unused"] == 0


def test_logs_without_schemas_say_so():
    assert "schemas" in find(history_of(Conversation().call(user("do", 50)))).lacks
