import json

import pytest

from modicum.providers.anthropic_messages.dialect import AnthropicMessages
from modicum.providers.cache_diagnostics import cache_miss_from
from modicum.providers.openai_responses.dialect import DIALECT as RESPONSES

MISS = {"cache_miss_reason": {"type": "tools_changed", "cache_missed_input_tokens": 41_000}}
USAGE = {"input_tokens": 3, "cache_creation_input_tokens": 41_000, "output_tokens": 5}
MESSAGE = {"id": "msg_1", "type": "message", "model": "claude-opus-5-5", "usage": USAGE, "diagnostics": MISS}
RESPONSE = {
    "id": "resp_1",
    "model": "gpt-6.1",
    "status": "completed",
    "usage": {"input_tokens": 9, "output_tokens": 2},
    "prompt_cache_diagnostics": {"type": "cache_miss", "reason": "tools_changed", "cache_missed_tokens": 9},
}


def event(kind, **fields):
    return b"event: %b\ndata: %b\n\n" % (kind.encode(), json.dumps({"type": kind, **fields}).encode())


@pytest.mark.parametrize(
    ("reply", "word"),
    [
        ({"diagnostics": None}, ""),
        ({"diagnostics": {"cache_miss_reason": None}}, ""),
        ({"diagnostics": {"cache_miss_reason": {"type": "unavailable"}}}, ""),
        ({"diagnostics": {"cache_miss_reason": {"type": 5}}}, "5"),
        ({"diagnostics": [1], "prompt_cache_diagnostics": "x"}, ""),
        ({"prompt_cache_diagnostics": {"type": "cache_hit", "reason": "tools_changed"}}, ""),
        ({"prompt_cache_diagnostics": {"type": "cache_miss", "reason": {"type": "model_changed"}}}, "model_changed"),
    ],
)
def test_only_a_cause_is_taken(reply, word):
    assert cache_miss_from(reply) == word


def test_whole_replies_and_streams_of_both_providers():
    tail = AnthropicMessages().tail(usage_asked=True)
    tail.feed(event("message_start", message=MESSAGE) + event("message_delta", delta={"stop_reason": "end_turn"}))
    streamed = RESPONSES.tail(usage_asked=True)
    streamed.feed(event("response.completed", response=RESPONSE))

    for facts in (
        AnthropicMessages().reply(json.dumps(MESSAGE).encode()),
        tail.facts(),
        RESPONSES.reply(json.dumps(RESPONSE).encode()),
        streamed.facts(),
    ):
        assert facts.charges.cache_miss == "tools_changed"
        assert not facts.charges.caveats
