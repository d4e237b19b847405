"""Prices that were saved to a file, to be compared later with others: of every model, lane and hour that calls had."""

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

import msgspec

from modicum.calls import Call, Tier, UserError
from modicum.calls.outside.regular_file import read_regular
from modicum.calls.rates import RateSteps
from modicum.metering.prices import PriceBook

FORMAT = 1


class _Saved(msgspec.Struct):
    format: int
    saved: datetime
    steps: dict[str, RateSteps]


class SavedPrices(PriceBook):
    """Rates of a file; a call that was not among those it was made for has no price in it."""

    def __init__(self, saved_steps: dict[str, RateSteps], saved: datetime) -> None:
        super().__init__()
        self.saved_steps = saved_steps
        self.saved = saved

    @classmethod
    def collect(cls, calls: Iterable[Call], prices: PriceBook) -> Self:
        """The rates of these calls, each at its time."""
        found: dict[str, RateSteps] = {}
        for call in calls:
            query = call.provider, call.model, call.started, call.tier, call.charges.region
            key = _key(*query)
            if key not in found:
                found[key] = prices.steps(*query)
        return cls(found, datetime.now(UTC).replace(microsecond=0))

    @classmethod
    def read(cls, path: Path) -> Self:
        """The file as prices.

        Raises:
            UserError: it cannot be read, or is no such file.
        """
        try:
            saved = msgspec.json.decode(read_regular(path), type=_Saved)
        except OSError as error:
            raise UserError(f"{path}: cannot be read: {error}") from None
        except (msgspec.DecodeError, RecursionError) as error:
            raise UserError(
                f"{path}: no file of saved prices: {error}; 'modicum prices --save FILE' writes one"
            ) from None
        if saved.format != FORMAT:
            raise UserError(f"{path}: saved prices of format {saved.format}; this version reads {FORMAT}")
        return cls(saved.steps, saved.saved)

    def write(self, path: Path) -> None:
        path.write_bytes(msgspec.json.encode(_Saved(FORMAT, self.saved, self.saved_steps)))

    def steps(self, provider: str, model: str, at: datetime, tier: Tier = Tier.STANDARD, region: str = "") -> RateSteps:
        return self.saved_steps.get(_key(provider, model, at, tier, region), ())


def _key(provider: str, model: str, at: datetime, tier: Tier, region: str = "") -> str:
    """By half hours, since some prices go by the clock."""
    slot = at.astimezone(UTC).replace(minute=at.minute // 30 * 30)
    return f"{provider}|{model}|{slot:%Y-%m-%dT%H:%M}|{tier}|{region}"
