"""Prices for rules, while a call is under way: from memory, or not at all."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime
from functools import partial

from modicum.calls import Tier
from modicum.calls.rates import Rates, RateSteps
from modicum.gateway.failures import Failed, contain_stage
from modicum.metering.prices import PriceBook

MOST_KEPT = 10_000
"""Models, by provider and day; their names come from callers."""


class LiveRates:
    """Rates of models, as `Facts.rates` gives them. Used from the event loop.

    A price is looked up in a thread of its own, when it is first asked for on a day: that takes milliseconds, and the
    price list is only loaded where a rule asks. Until it is there the answer is None.
    """

    def __init__(self, prices: Callable[[], PriceBook], failed: Failed) -> None:
        self._prices, self._failed = prices, failed
        self._book: PriceBook | None = None
        self._steps: dict[tuple[str, str, int], Future[RateSteps]] = {}
        self._thread = ThreadPoolExecutor(1, "rates")

    def of_call(self, provider: str, at: datetime, prompt_tokens: int) -> Callable[[str], Rates | None]:
        """The question that a rule may ask about a call: dollars per token of a model."""
        return partial(self.find, provider, at, prompt_tokens)

    def find(self, provider: str, at: datetime, prompt_tokens: int, model: str) -> Rates | None:
        """The rates of a model for a prompt of that size; None: no price is known, or not yet."""
        key = provider, model, at.toordinal()
        steps = self._steps.get(key)
        if steps is None:
            if len(self._steps) >= MOST_KEPT:
                self._steps.clear()
            steps = self._steps[key] = self._thread.submit(self._look_up, provider, model, at)
        if not steps.done() or steps.cancelled():
            return None
        found = None
        for step in steps.result():
            if prompt_tokens <= step.above_tokens:
                break
            found = step.rates
        return found

    def close(self) -> None:
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _look_up(self, provider: str, model: str, at: datetime) -> RateSteps:
        with contain_stage("rates", self._failed):
            if self._book is None:
                self._book = self._prices()
            return self._book.steps(provider, model, at, Tier.STANDARD)
        return ()
