"""OpenAI's usage objects, converted: chat completions, responses, and the many who speak like them.

`prompt_tokens` and `input_tokens` include what was read from a prompt cache and, on models that bill it, what was
written to one. `completion_tokens` and `output_tokens` include reasoning; xAI and Google's compatible endpoint leave it
out and count it only in `total_tokens`. Sources: https://platform.openai.com/docs/api-reference/chat/object (usage),
https://platform.openai.com/docs/api-reference/responses/object, https://docs.x.ai/docs/guides/reasoning,
https://api-docs.deepseek.com/guides/kv_cache, https://openrouter.ai/docs/use-cases/usage-accounting.
"""

from collections.abc import Mapping
from typing import Any

from modicum.calls import Basis, Tier, Usage
from modicum.calls.usage import checked_count, is_counted
from modicum.providers.body_parsing import MainCounts
from modicum.providers.fields import mapping, text

MAIN_COUNTS = MainCounts(("prompt_tokens", "input_tokens"), ("completion_tokens", "output_tokens"))


def usage_from(usage: Mapping[str, Any]) -> Usage:
    """A `usage` object of either API, as buckets.

    Raises:
        ValueError: a count is no count of tokens.
    """
    read_details = mapping(usage.get("prompt_tokens_details")) or mapping(usage.get("input_tokens_details"))
    made_details = mapping(usage.get("completion_tokens_details")) or mapping(usage.get("output_tokens_details"))
    cached = _first(read_details.get("cached_tokens"), usage, "prompt_cache_hit_tokens", "cached_tokens")
    return buckets(
        prompt=checked_count("prompt_tokens", _first(usage.get("prompt_tokens"), usage, "input_tokens")),
        read=checked_count("cached_tokens", _first(cached, usage, "num_cached_tokens", "cached_input_tokens")),
        written=checked_count(
            "cache_write_tokens", _first(read_details.get("cache_write_tokens"), usage, "cache_write_input_tokens")
        ),
        completion=checked_count("completion_tokens", _first(usage.get("completion_tokens"), usage, "output_tokens")),
        reasoning=checked_count(
            "reasoning_tokens", _first(made_details.get("reasoning_tokens"), usage, "reasoning_output_tokens")
        ),
        total=checked_count("total_tokens", usage.get("total_tokens")),
    )


def bases_of(usage: Mapping[str, Any]) -> tuple[Basis, Basis]:
    """How a `usage` object as a whole and its output are known: what is null was not counted."""
    has_input = is_counted(usage, "prompt_tokens", "input_tokens")
    has_output = is_counted(usage, "completion_tokens", "output_tokens", may_lack=True)
    return Basis.counted(has_input), Basis.counted(has_input and has_output)


def _first(value: Any, usage: Mapping[str, Any], *others: str) -> Any:
    """The value, or the first of these fields that is there."""
    for name in others:
        if value is None:
            value = usage.get(name)
    return value


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
    """The price lane that a reply says it was served in."""
    return Tier.from_name(text(body.get("service_tier")))


def chat_usage(usage: Usage) -> dict[str, Any]:
    """The way back, for chat completions. OpenAI knows one kind of cache write."""
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


def responses_usage(usage: Usage) -> dict[str, Any]:
    """The way back, for responses."""
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
