"""`modicum.count`: tokens and price of a text, as `modicum count` shows them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from modicum.calls.outside.tabular import Tabular
from modicum.insights.claude_correction import parts_of
from modicum.insights.count import DEFAULT_MODELS, CountBasis, ModelCount, count_for_model, count_raw, list_encodings
from modicum.library.sources import load_prices
from modicum.metering.calibration import FILE_NAME, Calibrations, load_file
from modicum.settings import data_folder, read_settings

if TYPE_CHECKING:
    from modicum.metering.prices import PriceBook

PROSE = "prose"


@dataclass(frozen=True)
class TextCounts(Tabular):
    """A text in several models."""

    models: tuple[ModelCount, ...]

    def __getitem__(self, model: str) -> ModelCount:
        return {one.model: one for one in self.models}[model]

    def to_dicts(self) -> list[dict[str, Any]]:
        return [msgspec.structs.asdict(one) for one in self.models]


def count(
    text: str,
    model: str | Sequence[str] = (),
    *,
    content: str = PROSE,
    prices: "str | Path | PriceBook | None" = None,
) -> TextCounts:
    """Tokens of a text, and what it costs to send it once, today.

    Args:
        text: what is counted; nothing of it is kept.
        model: as its provider names it, or several; none: a large and a small one of three makers.
        content: what it is (`prose`, `code`, `json`), for models without a public tokenizer.
        prices: a `prices.toml`, above the list prices.

    Raises:
        UserError: the prices or the calibration cannot be read.
    """
    chosen = tuple(dict.fromkeys([model] if isinstance(model, str) else model)) or DEFAULT_MODELS
    measures = read_measures(load_prices(prices, read_settings())).corrected_for(chosen, list(parts_of(text, content)))
    raw = count_raw(text, content, list_encodings(chosen))
    now = datetime.now(UTC)
    return TextCounts(tuple(count_for_model(raw, one, measures, now) for one in chosen))


def read_measures(prices: "PriceBook") -> CountBasis:
    """What counts rest on: the user's own calibrations above the shipped ones, and prices."""
    own = load_file(data_folder() / FILE_NAME)
    return CountBasis(Calibrations(own.calibrations), prices, tuple(own.checks))
