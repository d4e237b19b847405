"""Prompt caches of four providers as their documentation describes them: calls in, billed buckets out.

Written from the providers' pages alone (prompt caching of Anthropic and OpenAI, context caching of Gemini and DeepSeek,
as of November 2026). It shares no line with `modicum.metering`: two readings of one documentation that have to come to
one bill.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

MINUTE = 60.0
HOUR = 3600.0
LOOKBACK_BLOCKS = 20
"""Anthropic: so many blocks before a mark are searched for an older entry."""


@dataclass(frozen=True)
class Block:
    """A part of a prompt; equal digests are equal bytes."""

    kind: str
    digest: str
    tokens: int


@dataclass(frozen=True)
class Sent:
    """One request, in seconds since the history began."""

    at: float
    conversation: str
    blocks: tuple[Block, ...]
    output: int
    model: str
    request: str = ""
    """Thinking, tool choice and whether there are images: with another one the messages are cached anew."""


@dataclass(frozen=True)
class Setting:
    """How a program uses the cache: where it marks, and for how long. Lanes without a switch ignore both."""

    marks: frozenset[str] = frozenset()
    """`system`: behind system prompt and tools; `end`: behind the last block."""
    ttl: str = "5m"


@dataclass(frozen=True)
class Lane:
    """What one provider's page says of one family of models."""

    provider: str
    marked: bool
    """Only what the request marks is cached."""
    minimum: int
    step: int = 1
    """Hits come in multiples of this."""
    whole_units: bool = False
    """A hit ends where an earlier request ended (or at a mark); else at the first block that differs."""
    charged: Mapping[str, str] = field(default_factory=dict)
    """Bucket in which a write is billed, by time to live; none: writes are free."""
    keeps: Mapping[str, float] = field(default_factory=dict)


_ANTHROPIC = Lane(
    "anthropic",
    marked=True,
    minimum=1024,
    whole_units=True,
    charged={"5m": "cache_write_5m", "1h": "cache_write_1h"},
    keeps={"5m": 5 * MINUTE, "1h": HOUR},
)
LANES = {
    "anthropic": _ANTHROPIC,
    "anthropic_4096": replace(_ANTHROPIC, minimum=4096),
    "anthropic_512": replace(_ANTHROPIC, minimum=512),
    "openai": Lane("openai", marked=False, minimum=1024, step=128, keeps={"in_memory": 5 * MINUTE, "24h": 24 * HOUR}),
    "openai_56": Lane(
        "openai",
        marked=False,
        minimum=1024,
        whole_units=True,
        charged={"30m": "cache_write_30m", "12h": "cache_write_12h"},
        keeps={"30m": 30 * MINUTE, "12h": 12 * HOUR},
    ),
    "gemini": Lane("google", marked=False, minimum=2048, keeps={"implicit": HOUR}),
    "deepseek": Lane("deepseek", marked=False, minimum=64, step=64, whole_units=True, keeps={"disk": 24 * HOUR}),
}

PRICES = {  # dollars a million tokens, from the providers' pages in November 2026
    "claude-sonnet-4-5": {
        "input_uncached": 3,
        "cache_read": 0.3,
        "cache_write_5m": 3.75,
        "cache_write_1h": 6,
        "output": 15,
    },
    "claude-haiku-4-5": {
        "input_uncached": 1,
        "cache_read": 0.1,
        "cache_write_5m": 1.25,
        "cache_write_1h": 2,
        "output": 5,
    },
    "claude-opus-5-5": {"input_uncached": 4, "cache_read": 0.2, "cache_write_5m": 5, "cache_write_1h": 8, "output": 20},
    "gpt-5.1": {"input_uncached": 1.25, "cache_read": 0.125, "output": 10},
    "gpt-4.1": {"input_uncached": 2, "cache_read": 0.5, "output": 8},
    "gpt-4.1-mini": {"input_uncached": 0.4, "cache_read": 0.1, "output": 1.6},
    "gpt-5.6-sol": {"input_uncached": 4, "cache_read": 0.4, "cache_write_30m": 5, "cache_write_12h": 10, "output": 20},
    "gemini-2.5-flash": {"input_uncached": 0.3, "cache_read": 0.03, "output": 2.5},
    "deepseek-chat": {"input_uncached": 0.15, "cache_read": 0.003, "output": 0.6},
}


def simulate(calls: Sequence[Sent], lane: Lane, setting: Setting) -> list[dict[str, int]]:
    """What each call is billed for, by bucket."""
    entries: dict[tuple[str, tuple[str, ...]], float] = {}
    return [_answer(call, lane, setting, entries) for call in calls]


def cost_usd(calls: Sequence[Sent], usages: Sequence[Mapping[str, int]]) -> float:
    return sum(
        count * PRICES[call.model]["output" if bucket == "output_visible" else bucket] / 1e6
        for call, usage in zip(calls, usages, strict=True)
        for bucket, count in usage.items()
    )


def cap_results(calls: Sequence[Sent], tokens: int) -> list[Sent]:
    """The same calls with tool results cut when they arrive."""
    return [
        replace(call, blocks=tuple(
            replace(block, tokens=tokens) if block.kind == "tool_result" and block.tokens > tokens else block
            for block in call.blocks))
        for call in calls
    ]  # fmt: skip


def _answer(
    call: Sent, lane: Lane, setting: Setting, entries: dict[tuple[str, tuple[str, ...]], float]
) -> dict[str, int]:
    digests = tuple(
        block.digest if block.kind in {"system", "tool_schema"} or not lane.marked else block.digest + call.request
        for block in call.blocks
    )
    sizes = [0]
    for block in call.blocks:
        sizes.append(sizes[-1] + block.tokens)
    marks = _marks(call, lane, setting, sizes)
    keeps = lane.keeps.get(setting.ttl, 0.0)
    read = 0
    for length in _candidates(marks, lane, len(digests)):
        until = entries.get((call.model, digests[:length]))
        if until is not None and call.at <= until and sizes[length] >= lane.minimum:
            read = length
            break
    hit = sizes[read] // lane.step * lane.step if sizes[read] >= lane.minimum else 0
    written = marks[-1] if marks else 0
    kept = marks if lane.marked or lane.whole_units else range(1, len(digests) + 1)
    for length in {*kept, *([read] if read else [])}:
        if sizes[length] >= lane.minimum or not lane.marked:
            entries[call.model, digests[:length]] = call.at + keeps
    usage = {"cache_read": hit, "output_visible": call.output}
    bucket = lane.charged.get(setting.ttl)
    if bucket:
        usage[bucket] = max(0, sizes[written] - hit)
    usage["input_uncached"] = sizes[-1] - sum(usage.get(name, 0) for name in ("cache_read", bucket or ""))
    return {name: count for name, count in usage.items() if count}


def _marks(call: Sent, lane: Lane, setting: Setting, sizes: Sequence[int]) -> list[int]:
    """After how many blocks the prompt is marked, by the program or by the provider itself."""
    if not lane.marked:
        return [len(call.blocks)] if sizes[-1] >= lane.minimum else []
    head = sum(1 for block in call.blocks if block.kind in {"system", "tool_schema"})
    places = {"system": head, "end": len(call.blocks)}
    return sorted({places[name] for name in setting.marks if sizes[places[name]] >= lane.minimum})


def _candidates(marks: Sequence[int], lane: Lane, blocks: int) -> list[int]:
    if not lane.marked:
        return list(range(blocks, 0, -1))
    near = {length for mark in marks for length in range(max(1, mark - LOOKBACK_BLOCKS + 1), mark + 1)}
    return sorted(near, reverse=True)
