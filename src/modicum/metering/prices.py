"""What a token cost, by model, day, price lane and context size.

List prices come from genai-prices (pinned; its snapshot works offline); a user's `prices.toml` stands above it. Asking
genai-prices takes 250 us a call and 0.2 s to import, so unit rates are asked once per model, day and lane, and may be
kept in a file from one run to the next.
"""

from datetime import date, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from modicum.calls import Basis, Call, Tier
from modicum.calls.outside.regular_file import read_regular
from modicum.calls.rates import Rates, RateStep, RateSteps
from modicum.calls.session_reports import RUN, SUMS
from modicum.metering.price_file import PriceFile
from modicum.metering.regions import SAME, RegionalFactor, regional_factor

if TYPE_CHECKING:
    from modicum.metering.price_corrections import PriceNote, PriceQuery
    from modicum.metering.price_list import Listed, ListPrices


CORRECTIONS = Path(__file__).with_name("price_corrections.toml")
"""Beside `price_corrections.py`, which is imported only when a price is looked up."""


class PriceBook:
    """Rates by model, day, lane and context size. `rates` is the one question.

    Args:
        price_file: the user's own prices, above the list.
        kept_in: a file that keeps unit rates between runs, made anew when prices or version change. None: no file.
    """

    def __init__(self, price_file: PriceFile | None = None, kept_in: Path | None = None) -> None:
        self.price_file = price_file
        self._kept_in = kept_in
        self._steps: dict[str, RateSteps] = {}
        self._quick: dict[tuple[str, str, date, Tier, str], RateSteps] = {}
        self._book = ""
        self._list: ListPrices | None = None
        self._dirty = False
        if kept_in is not None:
            self._load(kept_in)

    def rates(
        self,
        provider: str,
        model: str,
        at: datetime,
        tier: Tier = Tier.STANDARD,
        prompt_tokens: int = 0,
        region: str = "",
    ) -> Rates | None:
        """Dollars per token for a call with a prompt of that size (all input, cached or not); None: no price is known.

        A context-size step applies to the whole request, which is the providers' rule: 200,001 tokens cost twice what
        200,000 do, not one token more.
        """
        steps = self.steps(provider, model, at, tier, region)
        found = None
        for step in steps:
            if prompt_tokens <= step.above_tokens:
                break
            found = step.rates
        return found

    def rates_of(self, call: Call) -> Rates | None:
        if call.place in SUMS:
            return self._rates_of_sum(call)
        prompt_tokens = call.usage.prompt_tokens // max(call.calls_count, 1)
        return self.rates(call.provider, call.model, call.started, call.tier, prompt_tokens, call.charges.region)

    def _rates_of_sum(self, call: Call) -> Rates | None:
        """Those of a small prompt. Whether one of the summed calls was larger nothing tells, once all together are."""
        steps = self.steps(call.provider, call.model, call.started, call.tier, call.charges.region)
        if not steps:
            return None
        rates = steps[0].rates
        is_sure = len(steps) == 1 or (call.place == RUN and call.usage.prompt_tokens <= steps[1].above_tokens)
        return rates if is_sure else msgspec.structs.replace(rates, basis=rates.basis | Basis.ESTIMATED)

    def save(self) -> None:
        """Keeps what was looked up for the next run. A folder that cannot be written to costs time, nothing else."""
        if self._kept_in is None or not self._dirty:
            return
        document = msgspec.json.encode(RatesFile(self.version, self._steps))
        try:
            self._kept_in.parent.mkdir(parents=True, exist_ok=True)
            fresh = self._kept_in.with_name(f"{self._kept_in.name}.{id(self):x}")
            fresh.write_bytes(document)
            fresh.replace(self._kept_in)
        except OSError:
            return
        self._dirty = False

    def steps(self, provider: str, model: str, at: datetime, tier: Tier = Tier.STANDARD, region: str = "") -> RateSteps:
        """All that a token may cost on that day, by size of the prompt."""
        quick = provider, model, at.date(), tier, region
        steps = self._quick.get(quick)
        if steps is None:
            key = f"{provider}|{model}|{at:%Y-%m-%d}|{tier}" + (f"|{region}" if region else "")
            steps = self._steps.get(key)
            lasts_all_day = True
            if steps is None:
                steps, lasts_all_day = self._look_up(provider, model, at, tier, region)
                if lasts_all_day:
                    self._steps[key] = steps
                    self._dirty = True
            if lasts_all_day:
                self._quick[quick] = steps
        return steps

    def find_listed(self, provider: str, model: str, at: datetime, tier: Tier) -> "Listed | None":
        """Where a price comes from: the list's entry, and what of our corrections holds at that moment."""
        return self._open_list().find(provider, model, at, tier)

    def price_notes(self, query: "PriceQuery") -> "list[PriceNote]":
        """All that we noted of a model, whatever the time."""
        return self._open_list().corrections.about(query)

    def _open_list(self) -> "ListPrices":
        if self._list is None:
            # Here, since it takes 0.2 s and most runs have all their rates from the run before.
            from modicum.metering.price_list import ListPrices

            self._list = ListPrices()
        return self._list

    def _look_up(self, provider: str, model: str, at: datetime, tier: Tier, region: str) -> tuple[RateSteps, bool]:
        listed, lasts_all_day = self._open_list().steps(provider, model, at, tier)
        factor = regional_factor(provider, model, region)
        if factor is not SAME:
            listed = tuple(RateStep(step.above_tokens, _in_region(step.rates, factor)) for step in listed)
        if self.price_file is not None:
            own = self.price_file.steps(provider, model, at.date(), tier, listed)
            if own is not None:
                return own, lasts_all_day
        return listed, lasts_all_day

    @property
    def version(self) -> str:
        """Which list, corrections and own prices the kept rates rest on. List and corrections are known by their files,
        which are quicker to ask than a version.
        """
        if not self._book:
            found = find_spec("genai_prices")
            assert found is not None  # noqa: S101 - a dependency of ours
            assert found.origin is not None  # noqa: S101 - as above
            listed = Path(found.origin).with_name("data.py").stat()
            own = self.price_file.version if self.price_file else ""
            ours = CORRECTIONS.stat()
            self._book = f"{KEPT_FORMAT} {listed.st_size} {listed.st_mtime_ns} {ours.st_size} {ours.st_mtime_ns} {own}"
        return self._book

    def _load(self, kept_in: Path) -> None:
        try:
            kept = msgspec.json.decode(read_regular(kept_in), type=RatesFile)
        except (OSError, msgspec.DecodeError, RecursionError):
            return
        if kept.version == self.version:
            self._steps = kept.steps


def _in_region(rates: Rates, factor: RegionalFactor) -> Rates:
    return msgspec.structs.replace(rates.times(factor.times), basis=rates.basis | factor.basis)


KEPT_FORMAT = 3
"""Raised when rates are worked out in another way, so that those kept by an older program are not used."""


class RatesFile(msgspec.Struct):
    version: str
    steps: dict[str, RateSteps]
