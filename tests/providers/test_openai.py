import pytest
from hypothesis import given
from hypothesis import strategies as st

from modicum.calls import BUCKETS, SegmentKind, Tier, Usage
from modicum.providers import openai

counts = st.integers(min_value=0, max_value=10_000_000)


@given(prompt=counts, read=counts, written=counts, completion=counts, reasoning=counts)
def test_totals_are_kept_and_no_bucket_is_negative(prompt, read, written, completion, reasoning):
    usage = openai.usage_from(
        {
            "prompt_tokens": prompt,
            "completion_tokens": completion,
            "total_tokens": prompt + completion,
            "prompt_tokens_details": {"cached_tokens": read, "cache_write_tokens": written},
            "completion_tokens_details": {"reasoning_tokens": reasoning},
        }
    )

    assert all(getattr(usage, bucket) >= 0 for bucket in BUCKETS)
    assert usage.completion_tokens == completion
    assert (usage.cache_read, usage.cache_write_5m) == (read, written)
    if read + written <= prompt:
        assert usage.prompt_tokens == prompt
    else:  # they were counted beside the prompt: nothing is lost
        assert usage.prompt_tokens == prompt + read + written


@given(prompt=counts, completion=counts, reasoning=counts)
def test_reasoning_that_only_the_total_knows_of_is_output(prompt, completion, reasoning):
    total = prompt + completion + reasoning

    usage = openai.buckets(prompt=prompt, read=0, written=0, completion=completion, reasoning=0, total=total)

    assert usage.total_tokens == total
    assert usage == Usage(input_uncached=prompt, output_visible=completion, output_reasoning=reasoning)


def test_both_apis_and_codex_spell_the_same_usage_differently():
    want = Usage(input_uncached=30, cache_read=60, cache_write_5m=10, output_visible=5, output_reasoning=15)

    chat = {
        "prompt_tokens": 100,
        "completion_tokens": 20,
        "prompt_tokens_details": {"cached_tokens": 60, "cache_write_tokens": 10},
        "completion_tokens_details": {"reasoning_tokens": 15},
    }
    responses = {
        "input_tokens": 100,
        "output_tokens": 20,
        "input_tokens_details": {"cached_tokens": 60, "cache_write_tokens": 10},
        "output_tokens_details": {"reasoning_tokens": 15},
    }
    codex = {
        "input_tokens": 100,
        "output_tokens": 20,
        "cached_input_tokens": 60,
        "cache_write_input_tokens": 10,
        "reasoning_output_tokens": 15,
    }
    assert [openai.usage_from(said) for said in (chat, responses, codex)] == [want] * 3


def test_a_count_that_is_none_is_refused_by_name():
    with pytest.raises(ValueError, match="completion_tokens is negative"):
        openai.usage_from({"prompt_tokens": 1, "completion_tokens": -1})


@pytest.mark.parametrize(
    ("url", "model", "response", "provider"),
    [
        ("https://api.openai.com/v1/responses", "gpt-5.2", {}, "openai"),
        ("https://shop.openai.azure.com/openai/deployments/x", "gpt-5.2", {}, "azure"),
        ("https://notopenai.com/v1", "llama-4", {}, ""),
        ("", "gpt-5.2", {"prompt_filter_results": []}, "azure"),
        ("", "llama-4", {"x_groq": {}}, "groq"),
        ("", "gpt-oss-120b", {}, ""),
        ("http://[", "o3", {}, "openai"),
    ],
)
def test_who_served_a_call(url, model, response, provider):
    assert openai.provider_of(url, model, response) == provider


def test_the_lane_is_the_one_that_served():
    assert openai.tier_from({"service_tier": "flex"}) is Tier.FLEX
    assert openai.tier_from({"service_tier": "default"}) is Tier.STANDARD


def test_a_request_is_seen_as_tools_system_messages():
    blocks = openai.request_blocks(
        {
            "messages": [
                {"role": "developer", "content": "Be brief."},
                {
                    "role": "user",
                    "content": [
                        {"type": "text", "text": "What is it?"},
                        {"type": "image_url", "image_url": {"url": "data:x"}},
                    ],
                },
                {
                    "role": "assistant",
                    "tool_calls": [{"id": "c", "function": {"name": "look", "arguments": '{"b":1, "a":2}'}}],
                },
                {"role": "tool", "tool_call_id": "c", "content": "A cat"},
            ],
            "tools": [{"type": "function", "function": {"name": "look"}}],
        }
    )

    assert [(block.kind, block.tool) for block in blocks] == [
        (SegmentKind.TOOL_SCHEMA, "look"),
        (SegmentKind.SYSTEM, ""),
        (SegmentKind.USER, ""),
        (SegmentKind.IMAGE, ""),
        (SegmentKind.TOOL_CALL, "look"),
        (SegmentKind.TOOL_RESULT, ""),
    ]
    assert blocks[4].text == '{"a":2,"b":1}'


def test_items_of_the_responses_api():
    blocks = openai.request_blocks(
        {
            "instructions": "Be brief.",
            "input": [
                {"type": "reasoning", "summary": [{"text": "hm"}]},
                {"type": "custom_tool_call", "name": "patch", "input": "*** x", "call_id": "c"},
                {
                    "type": "custom_tool_call_output",
                    "call_id": "c",
                    "output": '{"output":"","metadata":{"exit_code":2}}',
                },
                {"type": "web_search_call", "action": {"query": "cats"}},
            ],
        }
    )

    assert [(block.kind, block.tool, block.is_error) for block in blocks] == [
        (SegmentKind.SYSTEM, "", False),
        (SegmentKind.REASONING, "", False),
        (SegmentKind.TOOL_CALL, "patch", False),
        (SegmentKind.TOOL_RESULT, "", True),
        (SegmentKind.TOOL_CALL, "web_search", False),
    ]


def test_a_stream_is_the_body_that_it_would_have_been():
    body = openai.joined(
        [
            {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 5, "model": "gpt-5.2", "choices": []},
            {"id": "chatcmpl-1", "object": "chat.completion.chunk", "choices": [{"finish_reason": "length"}]},
            {"id": "chatcmpl-1", "object": "chat.completion.chunk", "choices": [], "usage": {"prompt_tokens": 3}},
        ]
    )

    assert (body["id"], body["created"], body["usage"]) == ("chatcmpl-1", 5, {"prompt_tokens": 3})
    assert openai.finish_reason_from(body) == "length"
