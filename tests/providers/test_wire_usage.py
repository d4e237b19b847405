import pytest
from anthropic.types import Usage as AnthropicUsage
from google.genai.types import GenerateContentResponseUsageMetadata
from hypothesis import given
from hypothesis import strategies as st
from openai.types import CompletionUsage
from openai.types.responses import ResponseUsage

from modicum.calls import Usage
from modicum.providers import anthropic, gemini, openai
from modicum.providers.wire_usage import anthropic_usage, gemini_usage, openai_chat_usage, openai_responses_usage

COUNT = st.integers(0, 10_000_000)


@given(st.builds(Usage, COUNT, COUNT, COUNT, output_visible=COUNT, output_reasoning=COUNT))
def test_openais_usage_comes_back(usage):
    assert openai.usage_from(openai_chat_usage(usage)) == usage
    assert openai.usage_from(openai_responses_usage(usage)) == usage
    CompletionUsage.model_validate(openai_chat_usage(usage), strict=True)
    ResponseUsage.model_validate(openai_responses_usage(usage), strict=True)


@given(st.builds(Usage, COUNT, COUNT, COUNT, COUNT, output_visible=COUNT))
def test_anthropics_usage_comes_back(usage):
    assert anthropic.usage_from(anthropic_usage(usage)) == usage
    AnthropicUsage.model_validate(anthropic_usage(usage), strict=True)


@given(st.builds(Usage, COUNT, COUNT, output_visible=COUNT, output_reasoning=COUNT))
def test_geminis_usage_comes_back(usage):
    assert gemini.usage_from(gemini_usage(usage)) == usage
    GenerateContentResponseUsageMetadata.model_validate(gemini_usage(usage))


@pytest.mark.parametrize("wire", [openai_chat_usage, openai_responses_usage])
def test_openai_knows_one_kind_of_cache_write(wire):
    assert openai.usage_from(wire(Usage(cache_write_5m=3, cache_write_1h=4))) == Usage(cache_write_5m=7)
