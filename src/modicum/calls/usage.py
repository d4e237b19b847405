"""Tokens of a call, in buckets that never overlap.

Providers disagree about whether `input` includes cached tokens: Anthropic's does not, OpenAI's and Gemini's do. Every
dialect is converted at the edge (`modicum.providers`), so that nobody can misread these names further in.
"""

from collections.abc import Mapping
from typing import Self

import msgspec

BUCKETS = (
    "input_uncached",
    "cache_read",
    "cache_write_5m",
    "cache_write_1h",
    "output_visible",
    "output_reasoning",
)
"""The names of the buckets, in the order in which they are shown. Tables, JSON and columns use these words."""

MOST_TOKENS = 1_000_000_000
"""More than any call can hold: a larger count is bad data (the largest context windows hold 10 million)."""


class Usage(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """Tokens of one call or of many. All counts are whole and not negative; the buckets are disjoint."""

    input_uncached: int = 0
    """Input billed at the full rate: neither read from nor written to a prompt cache."""
    cache_read: int = 0
    """Input served from a prompt cache."""
    cache_write_5m: int = 0
    """Input written to a prompt cache for the provider's short time to live (Anthropic: 5 minutes), or for an unnamed
    one."""
    cache_write_1h: int = 0
    """Input written to a prompt cache for one hour."""
    output_visible: int = 0
    """Output that the caller can read. Where a reply does not tell reasoning apart (Anthropic's older ones), it is in
    here."""
    output_reasoning: int = 0
    """Output spent on reasoning, where the provider counts it on its own. Billed as output."""

    @property
    def prompt_tokens(self) -> int:
        """All input, as people say: uncached, read from cache and written to it."""
        return self.input_uncached + self.cache_read + self.cache_write_5m + self.cache_write_1h

    @property
    def completion_tokens(self) -> int:
        """All output, as people say: visible and reasoning."""
        return self.output_visible + self.output_reasoning

    @property
    def total_tokens(self) -> int:
        return self.prompt_tokens + self.completion_tokens

    def __add__(self, other: Self) -> Self:
        return type(self)(
            self.input_uncached + other.input_uncached,
            self.cache_read + other.cache_read,
            self.cache_write_5m + other.cache_write_5m,
            self.cache_write_1h + other.cache_write_1h,
            self.output_visible + other.output_visible,
            self.output_reasoning + other.output_reasoning,
        )

    @classmethod
    def checked(cls, **buckets: object) -> Self:
        """A usage from counts that came from outside.

        Raises:
            ValueError: a count is negative, fractional, not a number, or more than any call can hold. The message
                names the bucket; it is meant to become the reason of a `Problem`.
        """
        counts = {name: checked_count(name, value) for name, value in buckets.items()}
        return cls(**counts)


def is_counted(usage: Mapping[str, object], *names: str, may_lack: bool = False) -> bool:
    """Whether a provider's usage object holds a count under one of these names of the same thing.

    None (JSON's null) is no count of 0: nobody counted. A name that is not there at all is none either, unless the
    thing `may_lack` (embeddings have no output).
    """
    counts = [usage[name] for name in names if name in usage]
    return any(count is not None for count in counts) or (may_lack and not counts)


def checked_count(name: str, value: object) -> int:
    """The count as an int; None (a field that a provider left out) is 0.

    Raises:
        ValueError: it is no count of tokens.
    """
    if value is None:
        return 0
    if isinstance(value, bool) or not isinstance(value, int | float):
        kind = type(value).__name__  # never the value itself: text may be a prompt
        raise ValueError(f"{name} is a {kind}, not a number of tokens")  # noqa: TRY004 - bad data, not a bad program
    if value != value or value < 0:  # noqa: PLR0124 - the only number unequal to itself is NaN
        raise ValueError(f"{name} is negative: {value!r:.40}")
    if value > MOST_TOKENS:
        raise ValueError(f"{name} is {value!r:.40}, more than any call can hold")
    whole = int(value)
    if whole != value:
        raise ValueError(f"{name} is fractional: {value!r:.40}")
    return whole
