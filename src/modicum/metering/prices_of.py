"""Prices of one day, or of one model, for all calls: what a history would cost now, or at another model's rates."""

from datetime import datetime

from modicum.calls import Tier
from modicum.calls.provider_names import provider_of_model, provider_of_own_model
from modicum.calls.rates import RateSteps
from modicum.metering.prices import PriceBook


class PricesOf(PriceBook):
    """A price book that answers for one day or one model, whatever day and model it is asked for.

    Args:
        book: with all prices.
        at: the day; None: that of each call.
        model: as its provider writes it; empty: that of each call. Counts of tokens stay those of the model that was
            called.
    """

    def __init__(self, book: PriceBook, at: datetime | None = None, model: str = "") -> None:
        super().__init__(book.price_file)
        self._of, self._at, self._model = book, at, model
        self._provider = provider_of_model(model) or provider_of_own_model(model)

    @property
    def version(self) -> str:
        """Names what these prices rest on."""
        return f"{self._of.version} {self._at} {self._model}"

    def steps(self, provider: str, model: str, at: datetime, tier: Tier = Tier.STANDARD, region: str = "") -> RateSteps:
        """All that a token costs on the day, or of the model, that this is about."""
        return self._of.steps(
            (self._model and self._provider) or provider, self._model or model, self._at or at, tier, region
        )

    def save(self) -> None:
        """Keeps what was looked up for the next run."""
        self._of.save()
