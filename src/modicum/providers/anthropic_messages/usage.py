"""Anthropic's usage object, converted.

`input_tokens` excludes what was read from or written to the prompt cache; `cache_creation` splits the writes by time to
live. Output includes thinking; newer replies tell it apart in `output_tokens_details`. Source:
https://docs.claude.com/en/api/messages (usage) and https://docs.claude.com/en/docs/build-with-claude/prompt-caching.
"""

from collections.abc import Mapping
from typing import Any

from modicum.calls import Basis, ChargedUnit, Charges, OtherModel, Tier, Usage
from modicum.calls.usage import MOST_TOKENS, checked_count, is_counted
from modicum.providers.body_parsing import MainCounts
from modicum.providers.fields import listed, mapping, text
from modicum.providers.usage_guard import KnownFields, unknown_numbers, word

MAIN_COUNTS = MainCounts(("input_tokens",), ("output_tokens",))


def usage_from(usage: Mapping[str, Any]) -> Usage:
    """A `usage` object of the Messages API, as buckets.

    Raises:
        ValueError: a count is no count of tokens.
    """
    split = usage.get("cache_creation")
    if not isinstance(split, Mapping):
        split = {}
    counts = {
        "input_tokens": usage.get("input_tokens"),
        "cache_read_input_tokens": usage.get("cache_read_input_tokens"),
        "cache_creation_input_tokens": usage.get("cache_creation_input_tokens"),
        "ephemeral_5m_input_tokens": split.get("ephemeral_5m_input_tokens"),
        "ephemeral_1h_input_tokens": split.get("ephemeral_1h_input_tokens"),
        "output_tokens": usage.get("output_tokens"),
        "thinking_tokens": mapping(usage.get("output_tokens_details")).get("thinking_tokens"),
    }
    made = buckets(*(checked_count(name, count) for name, count in counts.items()))
    for iteration in _iterations(usage):
        if iteration.get("type") == "compaction":  # the totals at the top leave it out
            made += usage_from({**iteration, "iterations": None})
    return made


def bases_of(usage: Mapping[str, Any]) -> tuple[Basis, Basis]:
    """How a `usage` object as a whole and its output are known: what is null was not counted."""
    has_input = is_counted(usage, "input_tokens")
    return Basis.counted(has_input), Basis.counted(has_input and is_counted(usage, "output_tokens"))


def buckets(
    uncached: int, read: int, written: int, written_5m: int, written_1h: int, output: int, thinking: int = 0
) -> Usage:
    """The counts of a usage object as buckets. `written` is the total of the two writes, as a rule; `thinking` is the
    part of `output` that it is, where it is told.

    Raises:
        ValueError: a count is negative or more than any call can hold.
    """
    # Some gateways fill in only the total or only the split.
    short = max(written - written_1h, written_5m)
    if min(uncached, read, written, written_5m, written_1h, output, thinking) < 0:
        raise ValueError("a token count is negative")
    if max(uncached, read, written, written_5m, written_1h, output) > MOST_TOKENS:
        raise ValueError("a token count is more than any call can hold")
    thinking = min(thinking, output)
    return Usage(uncached, read, short, written_1h, output - thinking, thinking)


def tier(service_tier: str | None, speed: str | None) -> Tier:
    """The price lane: fast mode stands above the service tier."""
    return Tier.FAST if speed == "fast" else Tier.from_name(service_tier or "")


def tier_from(usage: Mapping[str, Any]) -> Tier:
    return tier(text(usage.get("service_tier")), text(usage.get("speed")))


KNOWN: KnownFields = {
    "input_tokens": "priced",
    "cache_read_input_tokens": "priced",
    "cache_creation_input_tokens": "priced",
    "cache_creation": {"ephemeral_5m_input_tokens": "priced", "ephemeral_1h_input_tokens": "priced"},
    "output_tokens": "priced",
    "output_tokens_details": {"thinking_tokens": "part of output_tokens"},
    "server_tool_use": {
        "web_search_requests": "priced",
        # https://platform.claude.com/docs/en/agents-and-tools/tool-use/web-fetch-tool
        "web_fetch_requests": "free: only the tokens of what was fetched are charged",
    },
    "iterations": "priced: `charges_from`",
    "pydantic_ai_gateway": "an estimate of a gateway, not charged",
}
"""What is done with every number of a usage object."""

PLACES = {"": "", "not_available": "", "global": ""}
"""Words of `inference_geo` that change no price. Source:
https://platform.claude.com/docs/en/manage-claude/data-residency."""
_ITERATION_KINDS = frozenset({"message", "compaction", "advisor_message"})


def charges_from(usage: Mapping[str, Any], model: str = "") -> Charges:
    """What is charged beside the tokens of `model`, and what of the usage is not understood. Never raises."""
    tools = mapping(usage.get("server_tool_use"))
    place = text(usage.get("inference_geo")).lower()
    searches, caveats = 0, unknown_numbers(usage, KNOWN)
    try:
        searches = checked_count("web_search_requests", tools.get("web_search_requests"))
    except ValueError:
        caveats.append("usage.server_tool_use.web_search_requests")
    caveats += word("service_tier", usage.get("service_tier"), LANES)
    caveats += word("speed", usage.get("speed"), SPEEDS)
    caveats += word("inference_geo", usage.get("inference_geo"), GEOGRAPHIES)
    others, of_iterations = _other_models(usage, model)
    return Charges.of(
        region=PLACES.get(place, place),
        caveats=caveats + of_iterations,
        others=others,
        requests={ChargedUnit.WEB_SEARCH: searches},
    )


LANES = frozenset({"standard", "batch", "priority", "default", "auto", "standard_only", "flex"})
SPEEDS = frozenset({"standard", "fast"})
GEOGRAPHIES = frozenset({"us", *PLACES})


def _other_models(usage: Mapping[str, Any], model: str) -> tuple[list[OtherModel], list[str]]:
    """What other models did, by the iterations of a usage object, and what of these is not understood.

    The totals at the top are those of the iterations of type `message` of the model that answered. Sources disagree
    whether a model is charged that another one stood in for.
    """
    others: list[OtherModel] = []
    caveats: list[str] = []
    own = Usage()
    iterations = _iterations(usage)
    for iteration in iterations:
        kind, by = text(iteration.get("type")), text(iteration.get("model"))
        is_own = not by or not model or by.startswith(model) or model.startswith(by)
        caveats += unknown_numbers(iteration, KNOWN, "usage.iterations[]")
        if kind not in _ITERATION_KINDS or (kind == "message" and not is_own):
            caveats.append(f"usage.iterations[].type={kind}" if kind.isidentifier() else "usage.iterations[].type")
        try:
            made = usage_from({**iteration, "iterations": None})
        except ValueError:
            caveats.append("usage.iterations")
            continue
        if not is_own:
            others.append(OtherModel(by, made))
        elif kind != "compaction":
            own += made
    if own.total_tokens and not _agree(own, usage):
        caveats.append("usage.iterations")
    return others, caveats


def _iterations(usage: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [mapping(iteration) for iteration in listed(usage.get("iterations"))[:MOST_ITERATIONS]]


MOST_ITERATIONS = 1000


def _agree(own: Usage, usage: Mapping[str, Any]) -> bool:
    try:
        whole = usage_from({**usage, "iterations": None})
    except ValueError:
        return False
    return (own.prompt_tokens, own.completion_tokens) == (whole.prompt_tokens, whole.completion_tokens)


def wire_usage(usage: Usage) -> dict[str, Any]:
    """The way back: our buckets as the API's usage object. Its output includes reasoning."""
    wire: dict[str, Any] = {
        "input_tokens": usage.uncached_tokens,
        "cache_creation_input_tokens": usage.cache_write_tokens,
        "cache_read_input_tokens": usage.cache_read_tokens,
        "cache_creation": {
            "ephemeral_5m_input_tokens": usage.cache_write_tokens - usage.cache_write_1h,
            "ephemeral_1h_input_tokens": usage.cache_write_1h,
        },
        "output_tokens": usage.completion_tokens,
        "service_tier": "standard",
    }
    if usage.output_reasoning:
        wire["output_tokens_details"] = {"thinking_tokens": usage.output_reasoning}
    return wire
