import msgspec
import pytest

from modicum.calls import SegmentKind
from modicum.providers.facts import DialectError
from modicum.providers.openai_chat.dialect import DIALECT

ASKED = b'"stream_options":{"include_usage":true}'


def test_a_request_tells_its_facts():
    facts = DIALECT.request(
        b'{"messages":[],"model":"gpt-5","stream":true,"max_completion_tokens":100,"n":2,"user":"u-1",'
        b'"session_id":"session-9","metadata":{"task":"T-1","attempt":3,"draft":false,"tags":["x"]}}',
        "/v1/chat/completions",
    )
    assert (facts.model, facts.stream, facts.usage_asked) == ("gpt-5", True, False)
    assert (facts.most_output_tokens, facts.choices_count) == (100, 2)
    assert (facts.user, facts.session) == ("u-1", "session-9")
    assert facts.metadata == {"task": "T-1", "attempt": "3", "draft": "false"}


def test_azure_names_the_model_in_the_path():
    path = "/openai/deployments/our-gpt/chat/completions?api-version=2024-10-21"
    assert DIALECT.request(b'{"messages":[]}', path).model == "our-gpt"


def test_a_request_that_does_not_stream_needs_no_asking():
    assert DIALECT.request(b'{"model":"gpt-5"}', "").usage_asked
    assert DIALECT.request(b'{"model":"m","stream":true,"stream_options":{"include_usage":true}}', "").usage_asked


def test_asking_for_usage_leaves_every_other_byte():
    body = b' {"model":"m", "stream": true, "x": 1.50}'
    assert DIALECT.with_usage_asked(body) == b" {" + ASKED + b',"model":"m", "stream": true, "x": 1.50}'


@pytest.mark.parametrize(
    ("given", "options"),
    [
        (b'{"include_obfuscation":false}', {"include_obfuscation": False, "include_usage": True}),
        (b'{"include_usage":false}', {"include_usage": True}),
        (b"null", {"include_usage": True}),
    ],
)
def test_asking_keeps_the_callers_other_stream_options(given, options):
    asked = DIALECT.with_usage_asked(b'{"model":"m","stream":true,"stream_options":' + given + b',"x":1.50}')
    assert msgspec.json.decode(asked)["stream_options"] == options
    assert asked.endswith(b',"x":1.50}')
    assert DIALECT.request(asked, "").usage_asked


def test_stream_options_in_a_prompt_do_not_fool_it():
    body = msgspec.json.encode({"model": "m", "stream": True, "messages": [{"role": "user", "stream_options": 1}]})
    assert DIALECT.request(DIALECT.with_usage_asked(body), "").usage_asked


def test_segments_come_in_cache_order():
    body = msgspec.json.encode(
        {
            "model": "m",
            "messages": [
                {"role": "system", "content": "Be brief."},
                {
                    "role": "user",
                    "content": [{"type": "text", "text": "Tide?"}, {"type": "image_url", "image_url": {}}],
                },
                {"role": "assistant", "tool_calls": [{"id": "c1", "function": {"name": "tide", "arguments": "{}"}}]},
                {"role": "tool", "tool_call_id": "c1", "content": "high"},
            ],
            "tools": [{"type": "function", "function": {"name": "tide"}}],
        }
    )
    assert [(block.kind, block.tool) for block in DIALECT.segments(body)] == [
        (SegmentKind.TOOL_SCHEMA, "tide"),
        (SegmentKind.SYSTEM, ""),
        (SegmentKind.USER, ""),
        (SegmentKind.IMAGE, ""),
        (SegmentKind.TOOL_CALL, "tide"),
        (SegmentKind.TOOL_RESULT, ""),
    ]
    with pytest.raises(DialectError):
        DIALECT.segments(b'{"messages":')
