from google.genai.types import GenerateContentResponseUsageMetadata
from hypothesis import given
from hypothesis import strategies as st

from modicum.calls import BUCKETS, Tier, Usage
from modicum.providers.gemini_generate.usage import tier_from, usage_from, wire_usage

counts = st.integers(min_value=0, max_value=10_000_000)


@given(prompt=counts, read=counts, tool_use=counts, candidates=counts, thoughts=counts)
def test_total_is_prompt_tool_use_candidates_and_thoughts(prompt, read, tool_use, candidates, thoughts):
    usage = usage_from(
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
    assert tier_from({"serviceTier": "flex"}) is Tier.FLEX
    assert tier_from({"trafficType": "ON_DEMAND_PRIORITY"}) is Tier.PRIORITY
    assert tier_from({"trafficType": "PROVISIONED_THROUGHPUT"}) is Tier.STANDARD


@given(st.builds(Usage, counts, counts, output_visible=counts, output_reasoning=counts))
def test_geminis_usage_comes_back(usage):
    assert usage_from(wire_usage(usage)) == usage
    GenerateContentResponseUsageMetadata.model_validate(wire_usage(usage))
