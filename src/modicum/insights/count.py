"""`modicum count`: how many tokens a text has in several models, what they cost, and how sure that is."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from functools import partial

import msgspec

from modicum.calls import Basis
from modicum.insights.claude_correction import CountablePart, confirmed_checks, correct
from modicum.metering.calibration import Calibrations, TokenCount
from modicum.metering.claude_tokens import CounterCheck, count_claude_tokens
from modicum.metering.context_windows import context_window_tokens
from modicum.metering.prices import PriceBook
from modicum.metering.tokens import DEFAULT_ENCODING, count_with, encoding_for

DEFAULT_MODELS = (
    "claude-opus-5-5",
    "claude-sonnet-4-6",
    "claude-haiku-4-5",
    "gpt-5.5",
    "gpt-5-mini",
    "gemini-3.8-flash",
)
"""A large and a small one of three makers."""

RawCounts = Mapping[tuple[str, str], int]
"""Our tokens by (encoding, kind of content)."""


@dataclass(frozen=True)
class CountBasis:
    """What counts are turned into tokens and dollars with."""

    calibrations: Calibrations = field(default_factory=Calibrations)
    prices: PriceBook = field(default_factory=PriceBook)
    checks: tuple[CounterCheck, ...] = ()
    """What an exact counter for Claude was found to be worth."""

    def corrected_for(self, models: Iterable[str], parts: Sequence[CountablePart]) -> "CountBasis":
        """With lines that the exact counter corrects on these texts, for the models where the user's records confirm
        it. Takes seconds.
        """
        chosen = confirmed_checks(models, self.checks)
        count = partial(count_with, encoding=DEFAULT_ENCODING)
        lines = correct(parts, chosen, count, count_claude_tokens)
        return replace(self, calibrations=self.calibrations.overlaid(lines)) if lines else self


class ModelCount(msgspec.Struct, frozen=True, kw_only=True):
    """A text in one model. Dollars are None where no price is known; each is for the whole text, once."""

    model: str
    tokens: int
    basis: Basis
    error: float | None
    most_tokens: int
    known_by: str
    context_window: int | None
    input_usd: Decimal | None
    """Uncached."""
    cache_read_usd: Decimal | None
    cache_write_5m_usd: Decimal | None
    cache_write_1h_usd: Decimal | None
    price_source: str | None
    price_version: str | None


def list_encodings(models: Iterable[str]) -> tuple[str, ...]:
    """The encodings that are needed to count for these models: loading one costs up to a second."""
    return tuple(sorted({encoding_for(model)[0] for model in models}))


def count_raw(text: str, content: str, encodings: Iterable[str]) -> Counter[tuple[str, str]]:
    return Counter({(encoding, content): count_with(text, encoding) for encoding in encodings})


def convert_count(raw: RawCounts, model: str, calibrations: Calibrations) -> TokenCount:
    """The tokens of texts of several kinds together. The error is that of the kinds, weighted by their tokens."""
    encoding = encoding_for(model)[0]
    parts = [
        calibrations.convert(tokens, model, content)
        for (name, content), tokens in sorted(raw.items(), key=lambda item: -item[1])
        if name == encoding and tokens
    ]
    if len(parts) < 2:
        return parts[0] if parts else calibrations.convert(0, model)
    tokens = sum(part.tokens for part in parts)
    errors = [part.error for part in parts if part.error is not None]
    weighted = sum((part.error or 0.0) * part.tokens for part in parts) / tokens
    sources = {part.known_by for part in parts}
    return TokenCount(
        tokens,
        Basis.ESTIMATED,
        weighted if len(errors) == len(parts) else None,
        sum(part.most_tokens for part in parts),
        parts[0].known_by + (f", and {len(sources) - 1} more by kind of content" if len(sources) > 1 else ""),
    )


def count_for_model(raw: RawCounts, model: str, measures: CountBasis, at: datetime) -> ModelCount:
    """Tokens and price in one model; a provider in front of the name (`openrouter/...`) sets the price."""
    count = convert_count(raw, model, measures.calibrations)
    rates = measures.prices.rates("", model, at, prompt_tokens=count.tokens)

    def usd(bucket: str) -> Decimal | None:
        return None if rates is None else Decimal(getattr(rates, bucket)) * count.tokens

    return ModelCount(
        model=model,
        tokens=count.tokens,
        basis=count.basis,
        error=count.error,
        most_tokens=count.most_tokens,
        known_by=count.known_by,
        context_window=context_window_tokens(model),
        input_usd=usd("input_uncached"),
        cache_read_usd=usd("cache_read"),
        cache_write_5m_usd=usd("cache_write_5m"),
        cache_write_1h_usd=usd("cache_write_1h"),
        price_source=rates.source if rates else None,
        price_version=rates.version if rates else None,
    )
