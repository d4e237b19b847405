"""What a token of each text bucket cost in each call of a history: the rates of its day, as arrays."""

from datetime import UTC, datetime
from itertools import pairwise

import numpy as np

from modicum.calls import Tier
from modicum.calls.rates import RateSteps
from modicum.calls.usage import BUCKETS, TEXT_BUCKETS
from modicum.insights.history import Floats, History, Ints
from modicum.metering.prices import PriceBook
from modicum.metering.prompt_cache import find_rules

_DAY_S = 86_400


class RateTable:
    """Rates of all models, days and lanes of a history. A price that varies by the hour is that of the first call of
    its model and day.
    """

    def __init__(self, history: History, prices: PriceBook) -> None:
        self._history, self._prices = history, prices
        self._day = np.floor_divide(history.started_s, _DAY_S).astype(np.int64)
        self._recorded: tuple[Ints, Ints] | None = None
        self._known: dict[tuple[int, str, int, str], tuple[Floats, Floats]] = {}

    def per_call(self, models: Ints, words: list[str], tiers: Ints, lanes: list[str], prompt: Floats) -> Floats:
        """Dollars per token, a row per call and a column per bucket of `TEXT_BUCKETS`; NaN where no price is
        known. `models` and `tiers` are codes into `words` and `lanes`; `prompt` decides on the size step.
        """
        history = self._history
        found = np.full((history.calls, len(TEXT_BUCKETS)), np.nan)
        if not history.calls:
            return found
        keys = np.stack((history.provider, models, self._day, tiers))
        order, bounds = self._group_calls(keys, is_recorded=models is history.model and tiers is history.tier)
        for start, end in pairwise(bounds):
            mine = order[start:end]
            provider, model, _, tier = (int(part) for part in keys[:, mine[0]])
            above, rates = self._find_steps(provider, words[model], int(mine[0]), lanes[tier])
            if len(above):
                found[mine] = rates[np.searchsorted(above, prompt[mine], side="left") - 1]
        return found

    def _group_calls(self, keys: Ints, *, is_recorded: bool) -> tuple[Ints, Ints]:
        """The calls sorted so that those of one provider, model, day and lane stand together, and where each lot
        begins. That of the history as it was is kept: most changes move no call to another model or lane.
        """
        if is_recorded and self._recorded is not None:
            return self._recorded
        code = np.zeros(keys.shape[1], dtype=np.int64)
        for row in keys:
            _, part = np.unique(row, return_inverse=True)
            code = code * (part.max() + 1) + part
            code = np.unique(code, return_inverse=True)[1]
        order = np.argsort(code, kind="stable")
        bounds = np.flatnonzero(np.diff(code[order], prepend=-1, append=code.max() + 1))
        if is_recorded:
            self._recorded = order, bounds
        return order, bounds

    def _find_steps(self, provider: int, model: str, call: int, tier: str) -> tuple[Floats, Floats]:
        key = provider, model, int(self._day[call]), tier
        if key not in self._known:
            at = datetime.fromtimestamp(float(self._history.started_s[call]), UTC)
            steps = self._prices.steps(self._history.providers[provider], model, at, Tier(tier))
            self._known[key] = _to_arrays(steps, _name_buckets(model, at))
        return self._known[key]


def _name_buckets(model: str, at: datetime) -> tuple[str, ...]:
    """The text buckets, with those in which this model's short and long cache writes are billed in their places."""
    rules = find_rules(model, at.date())
    by_ttl = {bucket.ttl_s: bucket.name for bucket in BUCKETS.values() if bucket.ttl_s}
    short, long = (by_ttl.get(ttl_s) for ttl_s in (rules.ttl_s[0], rules.longer_s)) if rules else (None, None)
    names = {"cache_write_5m": short or "cache_write_5m", "cache_write_1h": long or "cache_write_1h"}
    return tuple(names.get(bucket, bucket) for bucket in TEXT_BUCKETS)


def _to_arrays(steps: RateSteps, buckets: tuple[str, ...]) -> tuple[Floats, Floats]:
    above = np.array([step.above_tokens for step in steps], dtype=np.float64)
    rates = np.array([[float(getattr(step.rates, bucket)) for bucket in buckets] for step in steps])
    return above, rates
