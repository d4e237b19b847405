"""Totals that include their parts, taken apart into buckets that never overlap.

OpenAI, Gemini and most telemetry count cached input inside the input and reasoning inside the output; Anthropic and
Langfuse count them beside it; and instrumentations get it wrong both ways. The rule, for whoever wonders about a
figure: of the two readings of each side, those are left out that would make a bucket negative; of what remains, the
one that agrees with the total (if the log has one) stands; else the reading that the source promises.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from modicum.calls import Usage
from modicum.providers.fields import count

MODALITIES = ("audio", "image", "video")
"""What tokens may be besides text; each may have a price of its own."""


def disjoint(
    prompt: int,
    completion: int,
    *,
    read: int = 0,
    written: tuple[int, int] = (0, 0),
    reasoning: int = 0,
    total: int = 0,
    inside: bool = True,
) -> Usage:
    """The buckets of a call. All counts must be whole and not negative; a `total` of 0 is one that the log lacks.

    `written`: to the cache, for the short time to live and for one hour.
    `inside`: what the source promises, namely that `prompt` includes what was read from and written to the cache, and
    `completion` the reasoning.
    """
    cached = read + sum(written)
    readings = []
    for cached_inside, reasoning_inside in (
        (inside, inside),
        (not inside, inside),
        (inside, not inside),
        (not inside, not inside),
    ):
        uncached = prompt - cached if cached_inside else prompt
        visible = completion - reasoning if reasoning_inside else completion
        if uncached >= 0 and visible >= 0:
            readings.append(Usage(uncached, read, *written, visible, reasoning))
    return next((usage for usage in readings if usage.total_tokens == total), readings[0])


def both_sides(prompt: int | None, completion: int | None, total: int) -> tuple[int, int] | None:
    """Input and output of a call, of which a log may lack one: the total tells it then. None where nobody can say: what
    was not counted is not 0.
    """
    if prompt is None and completion is not None and total > completion:
        prompt = total - completion
    if completion is None and prompt is not None and total >= prompt > 0:
        completion = total - prompt
    return None if prompt is None or completion is None else (prompt, completion)


def split_writes(written: int, written_5m: int, written_1h: int) -> tuple[int, int]:
    """Cache writes by time to live. Sources fill in the total, the split, or both; what no split accounts for was
    written for the short time.
    """
    return max(written - written_1h, written_5m), written_1h


def tokens_by_modality(details: Mapping[str, Any], names: str = "{}_tokens") -> dict[str, int]:
    """What the details of a side count by modality, under names like `audio_tokens`.

    Raises:
        ValueError: a count is no count of tokens.
    """
    return {kind: count(details, names.format(kind)) or 0 for kind in MODALITIES}


def with_modalities(
    usage: Usage, *, prompt: Mapping[str, int], cached: Mapping[str, int], output: Mapping[str, int]
) -> Usage:
    """The usage with the tokens that are no text in buckets of their own.

    `prompt` includes what was `cached` of each modality; `output` is part of the visible output. No more is moved than
    there is.
    """
    if not (any(prompt.values()) or any(output.values())):
        return usage
    moved = dict[str, int]()
    uncached, read, visible = usage.input_uncached, usage.cache_read, usage.output_visible
    for kind in MODALITIES:
        from_cache = min(cached.get(kind, 0), prompt.get(kind, 0), read)
        fresh = min(prompt.get(kind, 0) - from_cache, uncached)
        made = min(output.get(kind, 0), visible)
        read, uncached, visible = read - from_cache, uncached - fresh, visible - made
        cache_bucket = "cache_read_audio" if kind == "audio" else "cache_read_image"
        moved[cache_bucket] = moved.get(cache_bucket, 0) + from_cache
        moved |= {f"input_{kind}": fresh, f"output_{kind}": made}
    return msgspec.structs.replace(usage, input_uncached=uncached, cache_read=read, output_visible=visible, **moved)
