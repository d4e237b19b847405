"""Tools that a program hardly ever calls are left out, where its history says so and it pays."""

from collections import Counter
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from modicum.calls import Segment, SegmentKind
from modicum.calls.facts import Facts
from modicum.calls.prompt import AnatomyPrompt
from modicum.calls.rates import Rates
from modicum.calls.rule import RuleEffect
from modicum.optimizers.running import AnatomyCall, run_rules
from modicum.optimizers.tools_on_demand import FIND_TOOL, LEAST_CONVERSATIONS, TOOLS_ON_DEMAND, ToolDemand, find_tool

NAMES = ["grep", "mail", "room", "chart"]
RATES = Rates(*map(Decimal, ("3e-6", "3e-7", "3.75e-6", "6e-6", "15e-6")), *[Decimal(0)] * 11)
DEMAND = ToolDemand(20, Counter(grep=20, mail=1))


def segment(kind, tool, tokens=300):
    return Segment(kind, tokens, tool.encode().ljust(8), tool)


def prompt(*called, tokens=300):
    schemas = [segment(SegmentKind.TOOL_SCHEMA, name, tokens) for name in NAMES]
    return AnatomyPrompt([*schemas, segment(SegmentKind.USER, "", 10), *called])


def run(demand, of=None, **facts):
    features = () if demand is None else (demand,)
    known = Facts(at=datetime(2026, 11, 30, tzinfo=UTC), model="m", **{"turn": 0, "features": features} | facts)
    call = AnatomyCall(of or prompt(), known)
    (decision,) = run_rules([TOOLS_ON_DEMAND], call) or [None]
    return decision, [unit.tool for unit in call.prompt.units if unit.kind is SegmentKind.TOOL_SCHEMA]


def test_what_is_hardly_ever_called_goes_and_one_tool_stands_for_it():
    decision, left = run(DEMAND)

    assert left == ["grep", FIND_TOOL]
    assert decision.effect is RuleEffect.CHANGED
    assert decision.expected.tokens_removed == 900 - find_tool(frozenset(["mail", "room", "chart"])).tokens
    assert "3 of 4 tools left out" in decision.change.why


def test_the_tool_names_all_that_it_stands_for_and_stays_the_same():
    left_out = DEMAND._replace(left_out=frozenset(["mail", "room"]))
    one, _ = run(left_out)
    other, left = run(left_out._replace(found=frozenset(["mail"])))

    assert left == ["grep", "mail", "chart", FIND_TOOL]
    assert one.change.own_tools == other.change.own_tools
    assert "mail, room" in one.change.own_tools[0].description


def test_what_was_called_in_this_conversation_is_sent():
    _, left = run(DEMAND, prompt(segment(SegmentKind.TOOL_CALL, "room"), segment(SegmentKind.TOOL_RESULT, "room")))

    assert left == ["grep", "room", FIND_TOOL]


def test_the_last_one_stays_where_the_caller_marks_its_cache():
    _, left = run(DEMAND._replace(marks_cache=True))

    assert left == ["grep", "chart", FIND_TOOL]


@pytest.mark.parametrize(
    "demand",
    [
        None,
        DEMAND._replace(conversations=LEAST_CONVERSATIONS - 1),
        DEMAND._replace(called=Counter(dict.fromkeys(NAMES, 5))),
        DEMAND._replace(left_out=frozenset()),
    ],
    ids=["library", "too little seen", "all are called", "a conversation that began with all"],
)
def test_without_a_history_that_says_so_nothing_goes(demand):
    decision, left = run(demand)

    assert (decision, left) == (None, NAMES)


def test_small_schemas_are_worth_no_search():
    assert run(DEMAND, prompt(tokens=50))[1] == NAMES


@pytest.mark.parametrize(("later_calls", "effect"), [(0, RuleEffect.NOT_WORTH), (60, RuleEffect.CHANGED)])
def test_searches_are_weighed_against_what_schemas_cost_in_all_calls(later_calls, effect):
    """A search reads and writes the whole prompt once more."""
    long = prompt(*[segment(SegmentKind.USER, "", 20_000)])
    decision, _ = run(DEMAND._replace(searches_each=0.2), long, rates=lambda _model: RATES, later_calls=later_calls)

    assert decision.effect is effect


def test_what_stands_in_the_cache_is_not_broken_for_it():
    long = prompt(*[segment(SegmentKind.USER, "", 20_000)])
    facts = {"rates": lambda _model: RATES, "cached_tokens": 21_210, "since_last_call_s": 10.0, "turn": 3}
    decision, left = run(DEMAND, long, **facts)

    assert (decision.effect, left) == (RuleEffect.NOT_WORTH, NAMES)
    assert run(DEMAND, long, **facts, rules_before=frozenset([TOOLS_ON_DEMAND.name]))[1] == ["grep", FIND_TOOL]
