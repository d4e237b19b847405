"""Requests that no API documents, through every rule: they stay as they are or stay correct, and no rule fails."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modicum.calls.facts import Facts
from modicum.calls.rule import RuleEffect
from modicum.context.live_turns import LiveTurns
from modicum.optimizers.all_rules import RULES
from modicum.optimizers.running import RequestCall, run_rules
from modicum.providers import seen_requests
from modicum.providers.dialects import DIALECTS
from modicum.providers.seen_requests import SeenRequests

NAMES = ["anthropic-messages", "openai-chat", "openai-responses", "gemini-generate"]
FACTS = Facts(at=datetime(2026, 11, 30, tzinfo=UTC), model="m", turn=3, cached_tokens=10, since_last_call_s=1.0)
NUMBERED = "\n".join(f"{number:6}→    line {number}" for number in range(1, 40))
FOUND = "\n".join(f"src/shop/cart.py:{number}:total += {number}" for number in range(40))
BY_NAME = {
    "numbered": NUMBERED,
    "found": FOUND,
    "rows": json.dumps([{"a": 1, "b": "é"}] * 20, indent=2),
    "half": '{"half": ["finished", ',
    "our note": "[modicum: of the next 39 lines every tenth shows its number]\n" + NUMBERED,
    "our heading": "[modicum: each file's name stands above its lines]\n" + FOUND,
    "right to left": "שלום 你好 \u202e" * 40,
    "half a character": "\ud800 half",
    "long": "x" * 30_000,
    "empty": "",
}
EACH = [rule for rule in RULES if rule.edits_each]
TEXTS = st.sampled_from(list(BY_NAME)).map(lambda name: BY_NAME[name])
ODD = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-3, 3), st.floats(allow_nan=False, width=16), TEXTS),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["text", "type"]), inner, max_size=2),
    max_leaves=3,
)
BLOCKS = st.one_of(
    ODD,
    st.builds(lambda text: {"type": "tool_result", "tool_use_id": "nobody's", "content": text}, TEXTS | ODD),
    st.builds(lambda text: {"type": "text", "text": text}, TEXTS),
    st.just({"type": "image", "source": {"type": "base64", "data": "QUJD" * 200}}),
    st.builds(lambda given: {"type": "tool_use", "id": "t1", "name": "read", "input": given}, ODD),
    st.builds(lambda text: {"functionResponse": {"name": "read", "response": {"output": text}}}, TEXTS | ODD),
)
MESSAGES = st.one_of(
    ODD,
    st.builds(
        lambda role, field, content: {"role": role, field: content, "tool_call_id": "c1"},
        st.sampled_from(["user", "assistant", "tool", "system", "function", "model", "", 7]),
        st.sampled_from(["content", "parts", "output"]),
        st.one_of(TEXTS, ODD, st.lists(BLOCKS, max_size=3)),
    ),
    st.builds(lambda text: {"type": "function_call_output", "call_id": "c1", "output": text}, TEXTS | ODD),
    st.builds(
        lambda kind: {"type": kind, "call_id": "c1"}, st.sampled_from(["reasoning", "function_call", "x_output"])
    ),
)
TOOLS = st.one_of(ODD, st.lists(st.builds(lambda name, more: {"name": name, "x": more}, ODD, ODD), max_size=3))


@settings(deadline=None)
@given(st.sampled_from(NAMES), st.sampled_from(NAMES), st.lists(MESSAGES, max_size=4), TOOLS, ODD, st.booleans())
def test_every_request_gets_through_every_rule(name, other, messages, tools, system, is_seen):
    fields = [DIALECTS[one].prompt_shape.messages for one in (name, other)]
    body = json.dumps(dict.fromkeys(fields, messages) | {"model": "m", "tools": tools, "system": system}).encode()
    dialect, seen = DIALECTS[name], SeenRequests()
    for _ in range(1 + is_seen):
        split = dialect.split(body, seen)
        LiveTurns().find(dialect, body, "key", "", split)
        call = RequestCall(dialect, body, FACTS, None, seen, split)

        decisions = run_rules(RULES, call)

        assert [one for one in decisions if one.effect is RuleEffect.FAILED] == []
        if not any(one.effect is RuleEffect.CHANGED for one in decisions):
            assert call.body == body
        after = json.loads(call.body)
        asked = after[fields[0]]
        assert len(asked) == len(messages)
        assert [shape_of(one) for one in asked] == [shape_of(one) for one in messages]


def shape_of(message):
    """What no rule may touch of a message: who says it, and how many blocks of which kind it has."""
    if not isinstance(message, dict):
        return message
    content = message.get("content", message.get("parts"))
    blocks = [one.get("type") if isinstance(one, dict) else one for one in content] if isinstance(content, list) else 1
    return message.get("role"), message.get("type"), message.get("tool_call_id"), blocks


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b'{"messages":', b'{"messages":"\xff"}', b"{" * 5000])
def test_what_is_no_request_goes_on_as_it_came(body):
    for name in NAMES:
        call = RequestCall(DIALECTS[name], body, FACTS, None, SeenRequests())

        assert {one.effect for one in run_rules(RULES, call)} <= {RuleEffect.NOT_DECIDABLE}
        assert call.body == body


@settings(deadline=None)
@given(
    st.sampled_from(NAMES),
    st.lists(MESSAGES, min_size=1, max_size=4),
    st.lists(MESSAGES, max_size=3),
    TOOLS,
    st.sampled_from([64, 700]),
)
def test_a_beginning_that_came_before_changes_nothing_of_what_is_sent(name, first, more, tools, chunk_bytes):
    dialect, seen = DIALECTS[name], SeenRequests()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(seen_requests, "CHUNK_BYTES", chunk_bytes)
        for messages in (first, [*first, *more], [*first, *more], [*first, *more[::-1]], first):
            fields = {"model": "m", dialect.prompt_shape.messages: messages, "tools": tools}
            body = json.dumps(fields).encode()
            sent = []
            for known in (seen, SeenRequests()):
                call = RequestCall(dialect, body, FACTS, None, known, dialect.split(body, known))
                decisions = call.run(EACH)
                sent.append((call.body, [(one.rule, one.effect, one.why, one.expected) for one in decisions]))
            assert sent[0] == sent[1]
