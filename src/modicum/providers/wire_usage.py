"""Our buckets as each dialect's usage object: the way back from `usage_from`.

What a dialect has no field for is told where it is counted: OpenAI knows one kind of cache write, Anthropic's output
includes reasoning.
"""

from typing import Any

from modicum.calls import Usage


def openai_chat_usage(usage: Usage) -> dict[str, Any]:
    """https://platform.openai.com/docs/api-reference/chat/object"""
    return {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "total_tokens": usage.total_tokens,
        "prompt_tokens_details": {
            "cached_tokens": usage.cache_read,
            "cache_write_tokens": usage.cache_write_5m + usage.cache_write_1h,
            "audio_tokens": 0,
        },
        "completion_tokens_details": {
            "reasoning_tokens": usage.output_reasoning,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }


def openai_responses_usage(usage: Usage) -> dict[str, Any]:
    """https://platform.openai.com/docs/api-reference/responses/object"""
    return {
        "input_tokens": usage.prompt_tokens,
        "input_tokens_details": {
            "cached_tokens": usage.cache_read,
            "cache_write_tokens": usage.cache_write_5m + usage.cache_write_1h,
        },
        "output_tokens": usage.completion_tokens,
        "output_tokens_details": {"reasoning_tokens": usage.output_reasoning},
        "total_tokens": usage.total_tokens,
    }


def openai_embeddings_usage(usage: Usage) -> dict[str, Any]:
    """https://platform.openai.com/docs/api-reference/embeddings/create"""
    return {"prompt_tokens": usage.prompt_tokens, "total_tokens": usage.prompt_tokens}


def anthropic_usage(usage: Usage) -> dict[str, Any]:
    """https://docs.claude.com/en/api/messages"""
    wire: dict[str, Any] = {
        "input_tokens": usage.input_uncached,
        "cache_creation_input_tokens": usage.cache_write_5m + usage.cache_write_1h,
        "cache_read_input_tokens": usage.cache_read,
        "cache_creation": {
            "ephemeral_5m_input_tokens": usage.cache_write_5m,
            "ephemeral_1h_input_tokens": usage.cache_write_1h,
        },
        "output_tokens": usage.completion_tokens,
        "service_tier": "standard",
    }
    if usage.output_reasoning:
        wire["output_tokens_details"] = {"thinking_tokens": usage.output_reasoning}
    return wire


def gemini_usage(usage: Usage) -> dict[str, Any]:
    """https://ai.google.dev/api/generate-content#UsageMetadata"""
    wire: dict[str, Any] = {"promptTokenCount": usage.prompt_tokens, "totalTokenCount": usage.total_tokens}
    if usage.output_visible:
        wire["candidatesTokenCount"] = usage.output_visible
    if usage.output_reasoning:
        wire["thoughtsTokenCount"] = usage.output_reasoning
    if usage.cache_read:
        wire["cachedContentTokenCount"] = usage.cache_read
    return wire
