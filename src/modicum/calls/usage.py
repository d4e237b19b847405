"""Tokens of a call, in buckets that never overlap.

Providers disagree about whether `input` includes cached tokens: Anthropic's does not, OpenAI's and Gemini's do. Every
dialect is converted at the edge (`modicum.providers`), so that nobody can misread these names further in.
"""

from collections.abc import Iterable, Mapping
from operator import add, attrgetter
from typing import Self

import msgspec


class Bucket(msgspec.Struct, frozen=True):
    """What sets the tokens of one bucket apart from those of another: providers charge each at a rate of its own."""

    name: str
    side: str
    """`input` or `output`."""
    cache: str = ""
    """`read` or `write` where the tokens came from a prompt cache or went to one."""
    modality: str = "text"
    ttl_s: int = 0
    """Seconds that a cache write is kept."""


_TABLE = (
    Bucket("input_uncached", "input"),
    Bucket("cache_read", "input", "read"),
    Bucket("cache_write_5m", "input", "write", ttl_s=300),
    Bucket("cache_write_1h", "input", "write", ttl_s=3600),
    Bucket("output_visible", "output"),
    Bucket("output_reasoning", "output"),
    Bucket("input_audio", "input", modality="audio"),
    Bucket("input_image", "input", modality="image"),
    Bucket("input_video", "input", modality="video"),
    Bucket("cache_read_audio", "input", "read", modality="audio"),
    Bucket("cache_read_image", "input", "read", modality="image"),
    Bucket("cache_write_30m", "input", "write", ttl_s=1800),
    Bucket("cache_write_12h", "input", "write", ttl_s=43_200),
    Bucket("output_audio", "output", modality="audio"),
    Bucket("output_image", "output", modality="image"),
    Bucket("output_video", "output", modality="video"),
)
"""Every bucket. One more is a row here, a field of `Usage`, `BucketCosts` and `Rates`, and two columns in the ledger.
"""

BUCKETS = {bucket.name: bucket for bucket in _TABLE}
"""The buckets by name, in the order in which they are shown. Tables, JSON and columns use these words."""

TEXT_BUCKETS = tuple(BUCKETS)[:6]
"""Those that nearly every call has; the others are shown where they hold something."""

MOST_TOKENS = 1_000_000_000
"""More than any call can hold: a larger count is bad data (the largest context windows hold 10 million)."""


class Usage(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True, omit_defaults=True):
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
    input_audio: int = 0
    """Uncached input that is sound."""
    input_image: int = 0
    """Uncached input that is pictures, where the provider counts it on its own."""
    input_video: int = 0
    """Uncached input that is video, where the provider counts it on its own."""
    cache_read_audio: int = 0
    cache_read_image: int = 0
    """Pictures (and video) served from a prompt cache."""
    cache_write_30m: int = 0
    """Input written to a prompt cache for half an hour (OpenAI since GPT-5.6)."""
    cache_write_12h: int = 0
    output_audio: int = 0
    output_image: int = 0
    output_video: int = 0

    @property
    def prompt_tokens(self) -> int:
        """All input, as people say: uncached, read from cache and written to it, text or not."""
        return (  # each by itself, since every call is asked several times
            self.input_uncached
            + self.input_audio
            + self.input_image
            + self.input_video
            + self.cache_read
            + self.cache_read_audio
            + self.cache_read_image
            + self.cache_write_5m
            + self.cache_write_1h
            + self.cache_write_30m
            + self.cache_write_12h
        )

    @property
    def uncached_tokens(self) -> int:
        return self.input_uncached + self.input_audio + self.input_image + self.input_video

    @property
    def cache_read_tokens(self) -> int:
        return self.cache_read + self.cache_read_audio + self.cache_read_image

    @property
    def cache_write_tokens(self) -> int:
        """Input written to a prompt cache, for whatever time."""
        return self.cache_write_5m + self.cache_write_1h + self.cache_write_30m + self.cache_write_12h

    @property
    def completion_tokens(self) -> int:
        """All output, as people say: visible and reasoning, text or not."""
        return self.output_visible + self.output_reasoning + self.output_audio + self.output_image + self.output_video

    @property
    def total_tokens(self) -> int:
        return self.prompt_tokens + self.completion_tokens

    def __add__(self, other: Self) -> Self:
        return type(self)(*map(add, _counts(self), _counts(other)))

    @classmethod
    def checked(cls, **buckets: object) -> Self:
        """A usage from counts that came from outside.

        Raises:
            ValueError: a count is negative, fractional, not a number, or more than any call can hold. The message
                names the bucket; it is meant to become the reason of a `Problem`.
        """
        counts = {name: checked_count(name, value) for name, value in buckets.items()}
        return cls(**counts)


_counts = attrgetter(*BUCKETS)
"""The counts of a usage, in the order of its fields."""


def sum_usages(usages: Iterable[Usage]) -> Usage:
    """All of them together, bucket by bucket."""
    return Usage(*map(sum, zip(*map(_counts, usages), strict=True)))


def is_counted(usage: Mapping[str, object], *names: str, may_lack: bool = False) -> bool:
    """Whether a provider's usage object holds a count under one of these names of the same thing.

    None (JSON's null) is no count of 0: nobody counted. A name that is not there at all is none either, unless the
    thing `may_lack` (embeddings have no output).
    """
    may_be_missing = may_lack
    for name in names:
        if name in usage:
            if usage[name] is not None:
                return True
            may_be_missing = False
    return may_be_missing


def checked_count(name: str, value: object) -> int:
    """The count as an int; None (a field that a provider left out) is 0.

    Raises:
        ValueError: it is no count of tokens.
    """
    if value is None:
        return 0
    if value.__class__ is int and 0 <= value <= MOST_TOKENS:
        return value  # as nearly all are
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
