"""OpenAI's usage objects, converted: chat completions, responses, and the many who speak like them.

`prompt_tokens` and `input_tokens` include what was read from a prompt cache and, on models that bill it, what was
written to one. `completion_tokens` and `output_tokens` include reasoning; xAI and Google's compatible endpoint leave it
out and count it only in `total_tokens`. Sources: https://platform.openai.com/docs/api-reference/chat/object (usage),
https://platform.openai.com/docs/api-reference/responses/object, https://docs.x.ai/docs/guides/reasoning,
https://api-docs.deepseek.com/guides/kv_cache, https://openrouter.ai/docs/use-cases/usage-accounting.
"""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from modicum.calls import Basis, ChargedUnit, Charges, Tier, Usage
from modicum.calls.usage import checked_count, is_counted
from modicum.providers.body_parsing import MainCounts
from modicum.providers.fields import dollars, mapping, text
from modicum.providers.token_buckets import MODALITIES, with_modalities
from modicum.providers.usage_guard import KnownFields, unknown_numbers, word

MAIN_COUNTS = MainCounts(("prompt_tokens", "input_tokens"), ("completion_tokens", "output_tokens"))


def usage_from(usage: Mapping[str, Any]) -> Usage:
    """A `usage` object of either API, as buckets.

    Raises:
        ValueError: a count is no count of tokens.
    """
    prompt_parts, made_parts = _details(usage, PROMPT_DETAILS), _details(usage, MADE_DETAILS)
    whole = buckets(
        prompt=checked_count("prompt_tokens", _first(usage, MAIN_COUNTS.prompt)),
        read=checked_count("cached_tokens", _first_of(prompt_parts, ("cached_tokens",), usage, READ_NAMES)),
        written=checked_count("cache_write_tokens", _first_of(prompt_parts, WRITTEN_PARTS, usage, WRITTEN_NAMES)),
        completion=checked_count("completion_tokens", _first(usage, MAIN_COUNTS.output)),
        reasoning=checked_count(
            "reasoning_tokens", _first_of(made_parts, ("reasoning_tokens",), usage, REASONING_NAMES)
        ),
        total=checked_count("total_tokens", usage.get("total_tokens")),
    )
    if not (_are_mixed(prompt_parts) or _are_mixed(made_parts)):
        return whole
    return with_modalities(
        whole,
        prompt=_by_modality(prompt_parts),
        cached=_by_modality(mapping(prompt_parts.get("cached_tokens_details"))),
        output=_by_modality(made_parts),
    )


def _first(usage: Mapping[str, Any], names: tuple[str, ...]) -> Any:
    """The first of these fields that is not null."""
    for name in names:
        value = usage.get(name)
        if value is not None:
            return value
    return None


def _first_of(
    details: Mapping[str, Any], parts: tuple[str, ...], usage: Mapping[str, Any], names: tuple[str, ...]
) -> Any:
    """The first of these details, or else of these fields, that is not null."""
    value = _first(details, parts) if details else None
    return _first(usage, names) if value is None else value


def _are_mixed(details: Mapping[str, Any]) -> bool:
    """Whether not all of these tokens are text."""
    get = details.get
    return bool(get("audio_tokens") or get("image_tokens") or get("video_tokens"))


def _by_modality(details: Mapping[str, Any]) -> dict[str, int]:
    return {kind: checked_count(f"{kind}_tokens", details.get(f"{kind}_tokens")) for kind in MODALITIES}


PROMPT_DETAILS = ("prompt_tokens_details", "input_tokens_details", "input_token_details")
MADE_DETAILS = ("completion_tokens_details", "output_tokens_details", "output_token_details")
READ_NAMES = (
    "prompt_cache_hit_tokens",
    "cached_tokens",
    "num_cached_tokens",
    "cached_input_tokens",
    "cache_read_input_tokens",
)
"""What speakers of this dialect call the part of the prompt that was read from a cache, outside the details; the last
is how proxies pass on Anthropic's."""
WRITTEN_PARTS = ("cache_write_tokens", "cache_creation_tokens")
REASONING_NAMES = ("reasoning_output_tokens", "reasoning_tokens")
WRITTEN_NAMES = ("cache_write_input_tokens", "cache_creation_input_tokens")


def _details(usage: Mapping[str, Any], names: tuple[str, ...]) -> Mapping[str, Any]:
    for name in names:
        details = usage.get(name)
        if details and (details.__class__ is dict or isinstance(details, Mapping)):
            return details
    return {}


_PARTS: KnownFields = dict.fromkeys(("text_tokens", "audio_tokens", "image_tokens", "video_tokens"), "priced")
_PROMPT_PARTS: KnownFields = {
    **_PARTS,
    **dict.fromkeys(("cached_tokens", *WRITTEN_PARTS), "priced"),
    "cached_tokens_details": _PARTS,
}
_MADE_PARTS: KnownFields = {
    **_PARTS,
    "reasoning_tokens": "priced",
    # https://platform.openai.com/docs/guides/predicted-outputs
    "accepted_prediction_tokens": "part of completion_tokens",
    "rejected_prediction_tokens": "part of completion_tokens",
}
KNOWN: KnownFields = {
    **dict.fromkeys(("prompt_tokens", "input_tokens", "completion_tokens", "output_tokens", "total_tokens"), "priced"),
    **dict.fromkeys(PROMPT_DETAILS, _PROMPT_PARTS),
    **dict.fromkeys(MADE_DETAILS, _MADE_PARTS),
    **dict.fromkeys((*READ_NAMES, *WRITTEN_NAMES), "priced"),
    **dict.fromkeys(("reasoning_output_tokens", "reasoning_tokens"), "priced"),
    "prompt_cache_miss_tokens": "the rest of the prompt: https://api-docs.deepseek.com/guides/kv_cache",
    # https://console.groq.com/docs/api-reference
    **dict.fromkeys(("queue_time", "prompt_time", "completion_time", "total_time"), "seconds, not charged"),
    "cost": "taken: `provider_cost`",
    "cost_details": "taken: `provider_cost`",
    "cost_in_usd_ticks": "taken: `provider_cost`",
    "pydantic_ai_gateway": "an estimate of a gateway, not charged",
    "server_tool_use": {"web_search_requests": "priced"},
    # https://openrouter.ai/docs/use-cases/usage-accounting
    "server_tool_use_details": "charged within cost",
    "billed_units": {"input_tokens": "the same again", "output_tokens": "the same again"},
}
"""What is done with every number of a usage object."""

_TICKS = Decimal(10) ** 10


def provider_cost(usage: Mapping[str, Any]) -> Decimal | None:
    """Dollars that the usage object itself says were charged; None where it says nothing, or 0 without a reason.

    OpenRouter gives credits, which are dollars; with a key of the user's own they are its fee alone, and what the
    upstream charged stands beside it. Perplexity gives an object with a total. xAI counts ten thousand millionths of a
    dollar. Sources: https://openrouter.ai/docs/use-cases/usage-accounting, https://docs.perplexity.ai,
    https://docs.x.ai/developers/cost-tracking.
    """
    if "cost" not in usage and "cost_in_usd_ticks" not in usage:
        return None
    ticks = usage.get("cost_in_usd_ticks")
    if isinstance(ticks, int) and not isinstance(ticks, bool) and ticks > 0:
        return dollars(str(ticks / _TICKS))
    cost = usage.get("cost")
    charged = dollars(mapping(cost).get("total_cost") if isinstance(cost, Mapping) else cost)
    if usage.get("is_byok") is True:
        upstream = dollars(mapping(usage.get("cost_details")).get("upstream_inference_cost"))
        return None if upstream is None else upstream + (charged or 0)
    return charged


_SEARCHING_MODEL = re.compile(r"-search(?:-preview|-api)")
"""Models that search for every answer, for a fee by the answer."""


def charges_from(
    usage: Mapping[str, Any],
    *,
    lane: Any = None,
    model: str = "",
    region: str = "",
    known: KnownFields | None = None,
    requests: Mapping[str, int] | None = None,
) -> Charges:
    """What is charged beside the tokens, and what of a reply is not understood. Never raises.

    Args:
        usage: the usage object.
        lane: `service_tier` of the reply.
        model: of the reply.
        region: that the host is bound to.
        known: the fields that are understood, where a speaker of the dialect has more than `KNOWN`.
        requests: what the reply says was run, by `ChargedUnit`.
    """
    caveats = unknown_numbers(usage, known or KNOWN)
    if lane is not None:
        caveats += word("service_tier", lane, LANES)
    counted = dict(requests) if requests else {}
    if tools := usage.get("server_tool_use"):
        try:
            searches = checked_count("web_search_requests", mapping(tools).get("web_search_requests"))
        except ValueError:
            caveats.append("usage.server_tool_use.web_search_requests")
        else:
            counted.setdefault(ChargedUnit.WEB_SEARCH.value, searches)
    if "-search" in model and _SEARCHING_MODEL.search(model):
        counted[ChargedUnit.SEARCHED_ANSWER] = 1
    return Charges.of(region=region, caveats=caveats, provider_cost_usd=provider_cost(usage), requests=counted)


LANES = frozenset({"default", "auto", "standard", "on_demand", "flex", "priority", "fast", "batch"})
"""Words of `service_tier` that are understood. `scale` is paid by the unit of capacity, not by the token."""


def bases_of(usage: Mapping[str, Any]) -> tuple[Basis, Basis]:
    """How a `usage` object as a whole and its output are known: what is null was not counted."""
    has_input = is_counted(usage, "prompt_tokens", "input_tokens")
    has_output = is_counted(usage, "completion_tokens", "output_tokens", may_lack=True)
    return Basis.counted(has_input), Basis.counted(has_input and has_output)


def buckets(*, prompt: int, read: int, written: int, completion: int, reasoning: int, total: int = 0) -> Usage:
    """Counts of which `prompt` includes the cached and `completion` the reasoning tokens, as buckets.

    A `total` above their sum holds reasoning that `completion` leaves out. More cached than prompt tokens can only
    mean that this speaker counts them beside the prompt.
    """
    uncached = prompt - read - written
    output = max(completion, total - prompt)
    hidden = output - completion
    reasoning = min(max(reasoning, hidden), output)
    return Usage(
        input_uncached=uncached if uncached >= 0 else prompt,
        cache_read=read,
        cache_write_5m=written,
        output_visible=output - reasoning,
        output_reasoning=reasoning,
    )


def tier_from(body: Mapping[str, Any]) -> Tier:
    """The price lane that a reply says it was served in. `fast` is the same as `priority`."""
    lane = text(body.get("service_tier")).lower()
    if not lane:
        return Tier.STANDARD
    return Tier.PRIORITY if lane == "fast" else Tier.from_name(lane)


def chat_usage(usage: Usage) -> dict[str, Any]:
    """The way back, for chat completions. OpenAI knows one kind of cache write."""
    return {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "total_tokens": usage.total_tokens,
        "prompt_tokens_details": {
            "cached_tokens": usage.cache_read_tokens,
            "cache_write_tokens": usage.cache_write_tokens,
            "audio_tokens": usage.input_audio + usage.cache_read_audio,
        },
        "completion_tokens_details": {
            "reasoning_tokens": usage.output_reasoning,
            "audio_tokens": usage.output_audio,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }


def responses_usage(usage: Usage) -> dict[str, Any]:
    """The way back, for responses."""
    return {
        "input_tokens": usage.prompt_tokens,
        "input_tokens_details": {
            "cached_tokens": usage.cache_read_tokens,
            "cache_write_tokens": usage.cache_write_tokens,
        },
        "output_tokens": usage.completion_tokens,
        "output_tokens_details": {"reasoning_tokens": usage.output_reasoning},
        "total_tokens": usage.total_tokens,
    }
