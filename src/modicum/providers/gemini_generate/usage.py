"""Gemini's usage objects, converted.

`promptTokenCount` includes what came from a cache; `candidatesTokenCount` leaves thoughts out, which are billed as
output; what the provider's own tools put into the prompt is counted beside it. So total = prompt + tool use +
candidates + thoughts. Source: https://ai.google.dev/api/generate-content#UsageMetadata.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from modicum.calls import Basis, ChargedUnit, Charges, Tier, Usage
from modicum.calls.usage import checked_count, is_counted
from modicum.providers.fields import listed, mapping, text
from modicum.providers.token_buckets import MODALITIES, with_modalities
from modicum.providers.usage_guard import KnownFields, unknown_numbers, word


def usage_from(usage: Mapping[str, Any]) -> Usage:
    """A `usageMetadata` object, as buckets.

    Raises:
        ValueError: a count is no count of tokens.
    """
    whole = buckets(
        prompt=checked_count("promptTokenCount", usage.get("promptTokenCount")),
        read=checked_count("cachedContentTokenCount", usage.get("cachedContentTokenCount")),
        tool_use=checked_count("toolUsePromptTokenCount", usage.get("toolUsePromptTokenCount")),
        candidates=checked_count("candidatesTokenCount", usage.get("candidatesTokenCount")),
        thoughts=checked_count("thoughtsTokenCount", usage.get("thoughtsTokenCount")),
    )
    return with_modalities(
        whole,
        prompt=_by_modality(usage, "promptTokensDetails", "toolUsePromptTokensDetails"),
        cached=_by_modality(usage, "cacheTokensDetails"),
        output=_by_modality(usage, "candidatesTokensDetails"),
    )


def _by_modality(usage: Mapping[str, Any], *names: str) -> dict[str, int]:
    """Tokens by modality, of those that are no text. Documents are charged as text."""
    found = dict.fromkeys(MODALITIES, 0)
    for name in names:
        for part in map(mapping, listed(usage.get(name))):
            kind = text(part.get("modality")).lower()
            if kind in found:
                found[kind] += checked_count(name, part.get("tokenCount"))
    return found


_DETAILS: KnownFields = {"tokenCount": "priced"}
KNOWN: KnownFields = {
    **dict.fromkeys(("promptTokenCount", "cachedContentTokenCount", "toolUsePromptTokenCount"), "priced"),
    **dict.fromkeys(("candidatesTokenCount", "thoughtsTokenCount"), "priced"),
    "totalTokenCount": "the sum",
    **dict.fromkeys(
        (
            "promptTokensDetails",
            "promptTokenDetails",  # one client's misspelling, which it sends beside the right one
            "cacheTokensDetails",
            "candidatesTokensDetails",
            "toolUsePromptTokensDetails",
            "thoughtsTokensDetails",
        ),
        _DETAILS,
    ),
    "pydantic_ai_gateway": "an estimate of a gateway, not charged",
}
"""What is done with every number of a usage object."""
_KINDS = frozenset({*MODALITIES, "text", "document", "modality_unspecified"})
_LANES = frozenset({"standard", "default", "flex", "priority", "batch", "on_demand", "on_demand_flex"}) | {
    "on_demand_priority",
    "traffic_type_unspecified",
    "unspecified",
}


def charges_from(usage: Mapping[str, Any], grounding: Iterable[Mapping[str, Any]] = (), model: str = "") -> Charges:
    """What is charged beside the tokens, and what of the usage is not understood. Never raises.

    Up to Gemini 2.5 a prompt that was answered with searches has one fee; since Gemini 3 each different query has one.
    Grounding with maps has fees that the list lacks. Source: https://ai.google.dev/gemini-api/docs/pricing.
    """
    caveats = unknown_numbers(usage, KNOWN, "usageMetadata")
    for name in ("promptTokensDetails", "cacheTokensDetails", "candidatesTokensDetails", "toolUsePromptTokensDetails"):
        for part in map(mapping, listed(usage.get(name))):
            caveats += word("modality", part.get("modality"), _KINDS)
    caveats += word("serviceTier", usage.get("serviceTier"), _LANES)
    caveats += word("trafficType", usage.get("trafficType"), _LANES)
    queries, uses_maps = set[str](), False
    for found in grounding:
        queries |= {query for query in listed(found.get("webSearchQueries")) if isinstance(query, str)}
        uses_maps = uses_maps or any("maps" in mapping(chunk) for chunk in listed(found.get("groundingChunks")))
    requests = {"grounded_by_maps": int(uses_maps)}
    if queries:
        version = _VERSION.search(model)
        by_query = version is not None and int(version[1]) >= FIRST_CHARGED_BY_QUERY
        requests |= {ChargedUnit.SEARCH_QUERY: len(queries)} if by_query else {ChargedUnit.GROUNDED_PROMPT: 1}
    return Charges.of(caveats=caveats, requests=requests)


_VERSION = re.compile(r"gemini-(\d+)")
FIRST_CHARGED_BY_QUERY = 3


def bases_of(usage: Mapping[str, Any]) -> tuple[Basis, Basis]:
    """How a `usageMetadata` object as a whole and its output are known. A prompt that is null was not counted; counts
    of the output are left out where they are 0.
    """
    basis = Basis.counted(is_counted(usage, "promptTokenCount"))
    return basis, basis


def buckets(*, prompt: int, read: int, tool_use: int, candidates: int, thoughts: int) -> Usage:
    """The five counts as buckets. More cached than prompt tokens can only mean that they were counted beside it."""
    uncached = prompt - read if prompt >= read else prompt
    return Usage(
        input_uncached=uncached + tool_use, cache_read=read, output_visible=candidates, output_reasoning=thoughts
    )


def tier_from(usage: Mapping[str, Any]) -> Tier:
    """The price lane: `serviceTier` (Gemini API) or `trafficType` (Vertex)."""
    return Tier.from_name(text(usage.get("serviceTier")) or text(usage.get("trafficType")))


def wire_usage(usage: Usage) -> dict[str, Any]:
    """The way back: our buckets as a `usageMetadata` object."""
    wire: dict[str, Any] = {"promptTokenCount": usage.prompt_tokens, "totalTokenCount": usage.total_tokens}
    if visible := usage.completion_tokens - usage.output_reasoning:
        wire["candidatesTokenCount"] = visible
    if usage.output_reasoning:
        wire["thoughtsTokenCount"] = usage.output_reasoning
    if usage.cache_read_tokens:
        wire["cachedContentTokenCount"] = usage.cache_read_tokens
    return wire
