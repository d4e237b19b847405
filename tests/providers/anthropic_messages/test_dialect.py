import msgspec
import pytest

from modicum.calls import SegmentKind
from modicum.providers.anthropic_messages.dialect import DIALECT


def request(**fields):
    body = {"model": "claude-sonnet-4-5", "max_tokens": 64, "messages": [], **fields}
    return DIALECT.request(msgspec.json.encode(body), "/v1/messages")


def test_a_request_tells_its_facts():
    facts = request(stream=True, metadata={"user_id": "u-1"})
    assert (facts.model, facts.stream, facts.usage_asked) == ("claude-sonnet-4-5", True, True)
    assert (facts.most_output_tokens, facts.user, facts.session) == (64, "u-1", "")


@pytest.mark.parametrize(
    ("user_id", "user", "session"),
    [
        ("user_5f3a_account__session_57a121ec-f78c-48c3", "user_5f3a_account_", "57a121ec-f78c-48c3"),
        ('{"device_id":"d-1","account_uuid":"","session_id":"54c1eb09"}', "d-1", "54c1eb09"),
        ('{"device_id":"d-1","account_uuid":"a-1"}', "a-1", ""),
        ("{broken", "", ""),
    ],
)
def test_claude_code_tells_user_and_session_in_one_field(user_id, user, session):
    facts = request(metadata={"user_id": user_id})
    assert (facts.user, facts.session) == (user, session)


def test_segments_come_in_cache_order():
    body = {
        "model": "m",
        "messages": [
            {"role": "user", "content": "Tide?"},
            {"role": "assistant", "content": [{"type": "tool_use", "id": "t", "name": "tide", "input": {}}]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "is_error": True}]},
        ],
        "system": [{"type": "text", "text": "Be brief."}],
        "tools": [{"name": "tide", "input_schema": {}}],
    }
    blocks = DIALECT.segments(msgspec.json.encode(body))
    kinds = [SegmentKind.TOOL_SCHEMA, SegmentKind.SYSTEM, SegmentKind.USER, SegmentKind.TOOL_CALL]
    assert [block.kind for block in blocks] == [*kinds, SegmentKind.TOOL_RESULT]
    assert blocks[-1].is_error
    assert blocks[-1].call == blocks[-2].call == "t"


def test_the_most_output_is_written_unless_more_is_meant_for_thoughts():
    body = b'{"model": "claude-sonnet-4-5", "max_tokens": 9000, "messages": [], "thinking": {"budget_tokens": 2000}}'

    assert msgspec.json.decode(DIALECT.with_most_output(body, 2001))["max_tokens"] == 2001
    assert DIALECT.with_most_output(body, 2000) is None
