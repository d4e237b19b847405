from datetime import UTC, datetime
from decimal import Decimal

import pytest

from modicum.calls import Basis, Call, Cost, Entry, Usage
from modicum.calls.anatomy import Anatomy, Segment, SegmentKind
from modicum.calls.call import Owner
from modicum.insights.advice.call_kinds import group_calls

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)


def entry(number, usd=1, tools=(), model="opus", **fields):
    anatomy = Anatomy(added=tuple(Segment(SegmentKind.TOOL_CALL, 5, tool=tool) for tool in tools))
    fields = {"task": f"t{number}", "anatomy": anatomy} | fields
    fields = {"provider": "p", "usage": Usage(input_uncached=100, cache_read=300, output_visible=20)} | fields
    call = Call(
        call_id=f"x:{number}", source="x", model=model, started=NOON, **fields,
    )  # fmt: skip
    return Entry(call, Cost.unknown() if usd is None else Cost(Decimal(usd), Basis.EXACT))


def named(entries, values=None):
    return {(one.kind.model, one.kind.agent, one.kind.tools): one.kind for one in group_calls(entries, values or {})}


def test_a_conversation_is_of_one_kind_by_what_most_of_its_tools_did():
    entries = [entry(1, tools=("Read", "Grep"), task="t"), entry(2, tools=("Edit",), task="t"), entry(3)]

    kinds = named(entries)

    assert [(key, kind.calls) for key, kind in kinds.items()] == [
        (("opus", "main", "reads"), 2),
        (("opus", "main", "no tools"), 1),
    ]


@pytest.mark.parametrize(
    ("tools", "kind"), [(("Read", "Edit"), "writes"), (("Bash", "Read"), "other tools"), (("Bash",), "other tools")]
)
def test_a_tie_goes_to_what_needs_more_of_a_model(tools, kind):
    assert [key[2] for key in named([entry(1, tools=tools)])] == [kind]


def test_without_content_nobody_knows_the_tools():
    assert [key[2] for key in named([entry(1, anatomy=None)])] == ["unknown"]


def test_an_id_of_one_run_is_a_subagent_and_a_name_that_comes_again_an_agent():
    agents = [entry(1, agent="a8f3"), entry(2, agent="coder"), entry(3, agent="coder")]
    entries = [*agents, entry(4, owner=Owner(app="bot"))]

    assert sorted(key[1] for key in named(entries)) == ["bot", "coder", "subagent"]


def test_the_dearest_come_first_and_what_has_no_price_last():
    found = group_calls([entry(1, None, model="odd"), entry(2, 1, model="small"), entry(3, 3, model="large")], {})

    assert [(one.kind.model, one.kind.cost_usd, one.kind.share_of_cost) for one in found] == [
        ("large", 3, 0.75),
        ("small", 1, 0.25),
        ("odd", None, None),
    ]
    assert found[2].kind.calls_unpriced == 1


def test_tasks_with_outcomes_are_counted_once():
    entries = [entry(1, task="a"), entry(2, task="a"), entry(3, task="b"), entry(4, task="c")]

    (kind,) = named(entries, {"a": 1.0, "b": 0.0}).values()

    assert (kind.tasks_with_outcome, kind.tasks_reached) == (2, 1)
    assert (kind.prompt_tokens, kind.cached_tokens, kind.largest_call_tokens) == (1600, 1200, 420)


def test_what_was_answered_from_memory_is_of_no_kind():
    remembered = entry(2, 0, provider="modicum", usage=Usage(), calls_count=0)

    assert [(key, kind.calls) for key, kind in named([entry(1), remembered]).items()] == [
        (("opus", "main", "no tools"), 1)
    ]
