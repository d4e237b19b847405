"""Whose calls are offered a tool of ours."""

import json
from types import SimpleNamespace

import pytest

from modicum.calls import Owner
from modicum.calls.facts import Facts
from modicum.gateway.own_tools.loop import OfferedTools
from modicum.gateway.own_tools.offering import OFFER_READING, OwnTools
from modicum.optimizers.all_rules import RULES
from modicum.optimizers.result_cut import READ_TOOL, ReadableCuts
from modicum.optimizers.rule_choice import OwnerChoice, RuleChoice
from modicum.optimizers.running import prompt_in
from modicum.optimizers.tool_use import ToolUse
from modicum.optimizers.tools_on_demand import FIND_TOOL, ToolDemand
from modicum.providers.dialects import DIALECTS

ASKED = {"messages": [{"role": "user", "content": "hi"}], "tools": [{"name": "grep", "input_schema": {}}]}


def exchange(task="t", dialect="anthropic-messages", **fields):
    body = json.dumps({"model": "m"} | ASKED | fields).encode()
    known = DIALECTS[dialect]
    request = SimpleNamespace(served=SimpleNamespace(dialect=known), body=body)
    about = SimpleNamespace(owner=Owner(team="a"), task=task)
    more = {"listeners": (), "redaction": None, "is_plain": False, "edits": (), "prompt": prompt_in(known, body)}
    return SimpleNamespace(request=request, about=about, edited=body, **more)


def facts(*on, use=None, held_out=(), **changes):
    choice = RuleChoice(RULES, (OwnerChoice(on=on),), 0.5, lambda rule, _task: 0.0 if rule in held_out else 1.0)
    one = exchange(**{name: value for name, value in changes.items() if name in {"task", "dialect", "tool_choice"}})
    for name in changes.keys() - {"task", "dialect", "tool_choice"}:
        setattr(one, name, changes[name])
    return OwnTools(choice, use).facts(one)


def test_each_rule_brings_its_tool():
    cut, tools = facts("content.cut"), facts("tools", use=ToolUse())

    assert [type(one) for one in cut.known] == [ReadableCuts, OfferedTools]
    assert cut.known[-1].names == {READ_TOOL.name}
    assert [type(one) for one in tools.known] == [ToolDemand, OfferedTools]
    assert tools.known[-1].names == {FIND_TOOL}
    assert (cut.rules, tools.rules) == ((OFFER_READING,), ())


@pytest.mark.parametrize(
    "changes",
    [
        {"listeners": (1,)},
        {"redaction": 1},
        {"is_plain": True},
        {"dialect": "openai-text"},
        {"tool_choice": {"type": "any"}},
    ],
)
def test_calls_that_others_have_a_hand_in_are_offered_none(changes):
    assert facts("content.cut", "tools", use=ToolUse(), **changes) is None


def test_tasks_that_are_held_out_are_offered_none_and_still_seen():
    use = ToolUse()

    assert facts("tools", use=use, held_out=("tools.on_demand",)) is None
    assert len(use._programs) == 1


def test_several_workers_see_no_conversation_whole():
    assert facts("tools") is None


def test_where_nobody_has_chosen_no_call_is_looked_at():
    assert not OwnTools.may_offer(RuleChoice(RULES))
    assert not OwnTools.may_offer(RuleChoice(RULES, (OwnerChoice(on=("cache",)),)))
    assert OwnTools.may_offer(RuleChoice(RULES, (OwnerChoice(on=("content",)),)))
    assert facts("cache") is None


def test_reading_is_offered_only_beside_other_tools():
    without = prompt_in(DIALECTS["anthropic-messages"], json.dumps({"messages": ASKED["messages"]}).encode())
    known = Facts(at=None, model="m")

    assert OFFER_READING.decide(exchange().prompt, known).own_tools == (READ_TOOL,)
    assert OFFER_READING.decide(without, known).is_nothing
