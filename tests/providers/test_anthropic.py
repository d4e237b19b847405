import pytest
from hypothesis import given
from hypothesis import strategies as st

from modicum.calls import BUCKETS, SegmentKind, Tier, Usage
from modicum.providers.anthropic import joined, request_blocks, tier_from, usage_from, web_searches_from

counts = st.integers(0, 10**6)


def test_input_excludes_what_was_cached():
    usage = usage_from(
        {
            "input_tokens": 3,
            "cache_read_input_tokens": 100,
            "cache_creation_input_tokens": 50,
            "cache_creation": {"ephemeral_5m_input_tokens": 20, "ephemeral_1h_input_tokens": 30},
            "output_tokens": 7,
        }
    )

    assert usage == Usage(3, 100, 20, 30, 7)
    assert usage.prompt_tokens == 153


@given(counts, counts, counts, counts, counts)
def test_totals_are_kept(uncached, read, short, long, output):
    usage = usage_from(
        {
            "input_tokens": uncached,
            "cache_read_input_tokens": read,
            "cache_creation_input_tokens": short + long,
            "cache_creation": {"ephemeral_5m_input_tokens": short, "ephemeral_1h_input_tokens": long},
            "output_tokens": output,
        }
    )

    assert usage.total_tokens == uncached + read + short + long + output
    assert all(getattr(usage, bucket) >= 0 for bucket in BUCKETS)


def test_thinking_is_told_apart_where_the_reply_does():
    usage = usage_from({"output_tokens": 50, "output_tokens_details": {"thinking_tokens": 30}})

    assert (usage.output_visible, usage.output_reasoning) == (20, 30)


@given(counts, counts)
def test_writes_told_in_one_place_only_are_counted_once(short, long):
    split = {"ephemeral_5m_input_tokens": short, "ephemeral_1h_input_tokens": long}

    assert usage_from({"cache_creation": split}).prompt_tokens == short + long
    assert usage_from({"cache_creation_input_tokens": short}).cache_write_5m == short


@pytest.mark.parametrize("count", [-1, 2.5, "3", 10**12])
def test_counts_that_are_none_are_refused(count):
    with pytest.raises(ValueError, match="input_tokens"):
        usage_from({"input_tokens": count})


def test_fast_mode_stands_above_the_service_tier():
    assert tier_from({"service_tier": "batch"}) is Tier.BATCH
    assert tier_from({"service_tier": "standard", "speed": "fast"}) is Tier.FAST
    assert tier_from({}) is Tier.STANDARD
    assert web_searches_from({"server_tool_use": {"web_search_requests": 2}}) == 2


def test_the_last_count_of_a_stream_is_final():
    body = joined(
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
    blocks = request_blocks(
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


def test_the_line_that_claude_code_adds_for_billing_is_no_part_of_the_prompt():
    line = {"type": "text", "text": "x-anthropic-billing-header: cc_version=2.1.80; cch=1a2b3;"}
    prompt = {"type": "text", "text": "You are Claude Code."}

    assert request_blocks({"system": [line, prompt]}) == request_blocks({"system": [prompt]})
