import json
from datetime import UTC, datetime

import msgspec
import pytest

from modicum.calls.facts import Facts
from modicum.calls.prompt import AnatomyPrompt, NotHeld
from modicum.calls.rule import RuleEffect
from modicum.metering.prices import PriceBook
from modicum.optimizers.cache_preparation import BREAKPOINTS, CACHE_KEY, KEY_ORDER, TOOL_ORDER
from modicum.optimizers.running import RequestCall, run_rules
from modicum.providers.dialects import DIALECTS

LONG = "All that there is to know. " * 1000
MESSAGES = [
    {"role": "user", "content": "first"},
    {"role": "assistant", "content": "yes"},
    {"role": "user", "content": LONG},
]
FACTS = Facts(at=datetime(2026, 11, 30, tzinfo=UTC), model="claude-opus-5-5", turn=1, later_calls=4.0)


def rates(_model):
    return PriceBook().rates("anthropic", "claude-opus-5-5", FACTS.at)


def run(rule, body, facts=FACTS, dialect="anthropic-messages"):
    call = RequestCall(DIALECTS[dialect], json.dumps(body).encode(), facts)
    (decision,) = run_rules([rule], call) or [None]
    return json.loads(call.body), decision


def priced(**more):
    return msgspec.structs.replace(FACTS, rates=rates, **more)


def test_a_conversation_that_goes_on_gets_breakpoints():
    after, decision = run(BREAKPOINTS, {"messages": MESSAGES}, priced())

    assert "cache_control" in after["messages"][-1]["content"][0]
    assert decision.expected.usd > 0
    assert run(BREAKPOINTS, after, priced()) == (after, None)


@pytest.mark.parametrize(
    ("more", "effect"),
    [
        ({"later_calls": 0.0}, RuleEffect.NOT_WORTH),
        ({"turn": 0, "later_calls": None}, RuleEffect.NOT_WORTH),
        ({"turn": None}, RuleEffect.NOT_DECIDABLE),
        ({"rates": None}, RuleEffect.NOT_WORTH),
    ],
    ids=["nothing comes after", "nobody knows", "its conversation was not seen", "no price"],
)
def test_marks_cost_more_than_they_bring_where_nothing_reads_them(more, effect):
    body = {"messages": MESSAGES}

    after, decision = run(BREAKPOINTS, body, msgspec.structs.replace(priced(), **more))

    assert (after, decision.effect) == (body, effect)


@pytest.mark.parametrize("model", ["gpt-4o", "mystery"])
def test_models_without_marks_and_short_prompts_stay(model):
    facts = priced()
    assert run(BREAKPOINTS, {"messages": MESSAGES}, msgspec.structs.replace(facts, model=model))[1] is None
    assert run(BREAKPOINTS, {"messages": MESSAGES[:1]}, facts)[1] is None


def test_tools_stand_in_the_order_of_their_names():
    tools = [{"name": name, "input_schema": {"type": "object"}} for name in ("b", "a", "c")]

    after, _ = run(TOOL_ORDER, {"tools": tools, "messages": MESSAGES})

    assert [tool["name"] for tool in after["tools"]] == ["a", "b", "c"]
    assert run(TOOL_ORDER, after)[1] is None


def test_tools_with_a_mark_keep_their_order():
    tools = [{"name": "b"}, {"name": "a", "cache_control": {"type": "ephemeral"}}]

    _, decision = run(TOOL_ORDER, {"tools": tools, "messages": MESSAGES})

    assert decision.effect is RuleEffect.DOES_NOT_FIT


@pytest.mark.parametrize("dialect", ["openai-chat", "openai-responses"])
def test_a_conversation_has_one_key_and_another_one_another(dialect):
    field = "messages" if dialect == "openai-chat" else "input"

    def key(messages):
        return run(CACHE_KEY, {"model": "gpt-5.1", field: messages}, dialect=dialect)[0].get("prompt_cache_key")

    assert key(MESSAGES[:1]) == key(MESSAGES)
    assert key(MESSAGES[:1]).startswith("modicum-")
    assert key(MESSAGES[2:]) != key(MESSAGES)
    own = {"model": "gpt-5.1", field: MESSAGES, "prompt_cache_key": "mine"}
    assert run(CACHE_KEY, own, dialect=dialect) == (own, None)
    assert run(CACHE_KEY, {"messages": MESSAGES})[1] is None


def test_a_ledger_knows_of_neither():
    for name in ("marks_cache", "takes_cache_key"):
        with pytest.raises(NotHeld):
            getattr(AnatomyPrompt([]), name)


def test_keys_of_schemas_stand_in_one_order():
    properties = {"z": {"type": "string"}, "a": {"maximum": 1.50, "type": "number"}}
    tool = {"name": "t", "input_schema": {"type": "object", "properties": properties}}

    after, _ = run(KEY_ORDER, {"tools": [tool], "messages": MESSAGES})

    assert after["tools"] == [tool]
    assert json.dumps(after["tools"]) == json.dumps([tool], sort_keys=True)
    assert run(KEY_ORDER, after)[1] is None
    assert run(KEY_ORDER, {"tools": [tool | {"cache_control": {"type": "ephemeral"}}], "messages": MESSAGES})[1] is None


def test_a_schema_that_would_not_be_the_same_data_keeps_its_keys():
    body = b'{"messages":[{"role":"user","content":"x"}],"tools":[{"name":"t","b":1,"a":1e2},{"name":"u","x":1,"x":2}]}'
    call = RequestCall(DIALECTS["anthropic-messages"], body, FACTS)

    assert run_rules([KEY_ORDER], call) == []
