from hypothesis import given
from hypothesis import strategies as st

from modicum.calls import BUCKETS, SegmentKind, Tier
from modicum.providers import gemini
from modicum.providers.message_blocks import message_blocks

counts = st.integers(min_value=0, max_value=10_000_000)


@given(prompt=counts, read=counts, tool_use=counts, candidates=counts, thoughts=counts)
def test_total_is_prompt_tool_use_candidates_and_thoughts(prompt, read, tool_use, candidates, thoughts):
    usage = gemini.usage_from(
        {
            "promptTokenCount": prompt,
            "cachedContentTokenCount": read,
            "toolUsePromptTokenCount": tool_use,
            "candidatesTokenCount": candidates,
            "thoughtsTokenCount": thoughts,
        }
    )

    assert all(getattr(usage, bucket) >= 0 for bucket in BUCKETS)
    assert (usage.cache_read, usage.output_reasoning) == (read, thoughts)
    assert usage.completion_tokens == candidates + thoughts
    inside = read if read <= prompt else 0  # more cached than prompt tokens were counted beside the prompt
    assert usage.prompt_tokens == prompt + tool_use + read - inside


def test_lanes_of_both_services():
    assert gemini.tier_from({"serviceTier": "flex"}) is Tier.FLEX
    assert gemini.tier_from({"trafficType": "ON_DEMAND_PRIORITY"}) is Tier.PRIORITY
    assert gemini.tier_from({"trafficType": "PROVISIONED_THROUGHPUT"}) is Tier.STANDARD


def test_parts_are_text_thoughts_calls_results_and_pictures():
    blocks = message_blocks(
        {
            "role": "model",
            "parts": [
                {"text": "hm", "thought": True},
                {"text": "Let us see."},
                {"functionCall": {"name": "look", "args": {"at": "it"}}},
                {"functionResponse": {"name": "look", "response": {"error": "dark"}}},
                {"inlineData": {"mimeType": "image/png", "data": "AA"}},
            ],
        }
    )

    assert [(block.kind, block.tool, block.is_error) for block in blocks] == [
        (SegmentKind.REASONING, "", False),
        (SegmentKind.ASSISTANT, "", False),
        (SegmentKind.TOOL_CALL, "look", False),
        (SegmentKind.TOOL_RESULT, "look", True),
        (SegmentKind.IMAGE, "", False),
    ]
    assert blocks[2].call == blocks[3].call
