"""What the Vercel AI SDK passes on of the provider's own reply: `ai.response.providerMetadata`, JSON as text.

Source: https://github.com/vercel/ai (packages anthropic, openai, gateway; version 4 to 6). Needed because the SDK's own
counts leave things out: in version 5 Anthropic's input is without cached tokens and cache writes stand nowhere else;
lanes and what a router charged never stand in an attribute of their own. The text may hold parts of a reply (citations,
reasoning): numbers and lanes are taken out of it, and nothing else.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from modicum.calls.usage import checked_count
from modicum.providers.fields import dollars, mapping, parsed_mapping, text
from modicum.providers.token_buckets import split_writes

PROVIDER_METADATA = "ai.response.providerMetadata"
HOUR = "ephemeral_1h_input_tokens"
Attributes = Mapping[str, Any]


def with_provider_metadata(attributes: Attributes) -> Attributes:
    """The attributes of a span, with what the provider's metadata says better under the names of the conventions.

    Raises:
        ValueError: a count is none.
    """
    if PROVIDER_METADATA not in attributes:
        return attributes
    metadata = parsed_mapping(attributes[PROVIDER_METADATA])
    found = _of_openai(mapping(metadata.get("openai")) or mapping(metadata.get("azure")))
    return {**found, **attributes, **_of_anthropic(mapping(metadata.get("anthropic")))}


def provider_cost(attributes: Attributes) -> Decimal | None:
    """What a router says that it charged: Vercel's own gateway, or OpenRouter."""
    metadata = parsed_mapping(attributes.get(PROVIDER_METADATA))
    of_router = mapping(mapping(metadata.get("openrouter")).get("usage"))
    return dollars(mapping(metadata.get("gateway")).get("cost")) or dollars(of_router.get("cost"))


def _of_anthropic(about: Attributes) -> dict[str, Any]:
    """The input as the provider counted it. Its output may be that of a stream's beginning, and is left alone."""
    counts = mapping(about.get("usage"))
    if counts.get("input_tokens") is None:
        written = about.get("cacheCreationInputTokens")
        return {"gen_ai.usage.cache_creation.input_tokens": written} if written else {}
    split = mapping(counts.get("cache_creation"))
    uncached, read, written = (
        checked_count(name, counts.get(name))
        for name in ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")
    )
    short, hour = (checked_count(name, split.get(name)) for name in ("ephemeral_5m_input_tokens", HOUR))
    short, hour = split_writes(written, short, hour)
    return {
        "gen_ai.usage.input_tokens": uncached + read + short + hour,
        "gen_ai.usage.cache_read.input_tokens": read,
        "gen_ai.usage.cache_creation.input_tokens": short + hour,
        "modicum.usage.cache_write_1h": hour,
        "gen_ai.usage.total_tokens": None,
        "llm.usage.total_tokens": None,
        "ai.usage.totalTokens": None,  # it is the sum of what the SDK counted
        "gen_ai.response.service_tier": text(counts.get("service_tier")),
    }


def _of_openai(about: Attributes) -> dict[str, Any]:
    """What version 4 and 5 leave out of the span's own counts; where these have it, they stand."""
    names = {
        "cachedPromptTokens": "gen_ai.usage.cache_read.input_tokens",
        "reasoningTokens": "gen_ai.usage.reasoning.output_tokens",
        "serviceTier": "openai.response.service_tier",
        "responseId": "gen_ai.response.id",
    }
    return {ours: about[theirs] for theirs, ours in names.items() if about.get(theirs) is not None}
