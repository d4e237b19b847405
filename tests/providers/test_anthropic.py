import pytest
from hypothesis import given
from hypothesis import strategies as st

from modicum.calls import BUCKETS, SegmentKind, Tier
from modicum.providers import anthropic

counts = st.integers(min_value=0, max_value=10_000_000)


@given(uncached=counts, read=counts, short=counts, long=counts, output=counts)
def test_totals_are_kept_and_no_bucket_is_negative(uncached, read, short, long, output):
    usage = anthropic.usage_from(
        {
            "input_tokens": uncached,
            "cache_read_input_tokens": read,
            "cache_creation_input_tokens": short + long,
            "cache_creation": {"ephemeral_5m_input_tokens": short, "ephemeral_1h_input_tokens": long},
            "output_tokens": output,
        }
    )

    assert all(getattr(usage, bucket) >= 0 for bucket in BUCKETS)
    assert usage.prompt_tokens == uncached + read + short + long
    assert (usage.input_uncached, usage.cache_write_1h, usage.completion_tokens) == (uncached, long, output)


@given(written=counts)
def test_writes_without_a_split_are_short_ones(written):
    assert anthropic.usage_from({"cache_creation_input_tokens": written}).cache_write_5m == written


def test_a_negative_count_is_refused():
    with pytest.raises(ValueError, match="input_tokens is negative"):
        anthropic.usage_from({"input_tokens": -1})


def test_fast_mode_stands_above_the_service_tier():
    assert anthropic.tier_from({"service_tier": "priority", "speed": "fast"}) is Tier.FAST
    assert anthropic.tier_from({"service_tier": "batch"}) is Tier.BATCH


def test_the_last_count_of_a_stream_is_final():
    body = anthropic.joined(
        [
            {"type": "message_start", "message": {"id": "msg_1", "usage": {"input_tokens": 9, "output_tokens": 1}}},
            {
                "type": "message_delta",
                "delta": {"stop_reason": "end_turn"},
                "usage": {"output_tokens": 70, "input_tokens": None},
            },
        ]
    )

    assert body["usage"] == {"input_tokens": 9, "output_tokens": 70}
    assert (body["id"], body["stop_reason"]) == ("msg_1", "end_turn")


def test_a_request_is_seen_as_tools_system_messages():
    blocks = anthropic.request_blocks(
        {
            "messages": [
                {"role": "user", "content": "Look."},
                {
                    "role": "assistant",
                    "content": [{"type": "tool_use", "id": "t", "name": "look", "input": {"b": 1, "a": 2}}],
                },
                {
                    "role": "user",
                    "content": [{"type": "tool_result", "tool_use_id": "t", "content": "dark", "is_error": True}],
                },
            ],
            "system": "Be brief.",
            "tools": [{"name": "look"}],
        }
    )

    assert [(block.kind, block.tool, block.is_error) for block in blocks] == [
        (SegmentKind.TOOL_SCHEMA, "look", False),
        (SegmentKind.SYSTEM, "", False),
        (SegmentKind.USER, "", False),
        (SegmentKind.TOOL_CALL, "look", False),
        (SegmentKind.TOOL_RESULT, "", True),
    ]
