"""Dollars per million tokens of a model that one runs oneself, against the price of the same model behind an API.

What decides is utilisation: a machine costs by the hour whether it works or not. So the table runs over utilisations,
and the one that was measured on the server is marked. Electricity is a few per cent. Redundancy, staff, quality and
review are counted as far as they are assumed (`tco_overheads.py`); failover between sites is left out.
"""

from decimal import Decimal

import msgspec

from modicum.calls.errors import UserError
from modicum.calls.words.percentages import percent
from modicum.energy.tco_overheads import AssumptionLine, Overheads, list_assumptions

HOURS_PER_YEAR = 8760
MILLION = 1_000_000
SHOWN = (0.05, 0.25, 0.5, 1.0)


class RentedGpus(msgspec.Struct, frozen=True):
    usd_per_gpu_hour: Decimal
    gpus: int = 1

    def usd_per_hour(self) -> Decimal:
        return self.usd_per_gpu_hour * self.gpus


class OwnedGpus(msgspec.Struct, frozen=True):
    """A machine that was bought."""

    price_usd: Decimal
    years: Decimal
    """Over which it is written off."""
    watts: float
    """Mean power of the whole machine under load, measured or from its data sheet."""
    usd_per_kwh: Decimal
    pue: float = 1.0
    other_usd_per_hour: Decimal = Decimal(0)
    """Housing, network, hands."""

    def usd_per_hour(self) -> Decimal:
        return self.price_usd / (self.years * HOURS_PER_YEAR) + self.power_usd_per_hour() + self.other_usd_per_hour

    def power_usd_per_hour(self) -> Decimal:
        return _decimal(self.watts / 1000 * self.pue) * self.usd_per_kwh


class Traffic(msgspec.Struct, frozen=True):
    """The mix of tokens; what an API charges depends on it."""

    prompt_per_output: float
    """Prompt tokens for each generated token."""
    cached_share: float = 0.0
    """Part of the prompt tokens that the API would charge as cached."""


class ApiPrice(msgspec.Struct, frozen=True):
    """Dollars per million tokens of the same open model behind an API."""

    input_usd: Decimal
    output_usd: Decimal
    cached_usd: Decimal | None = None
    """None: cached tokens are charged as any other input."""
    source: str = "given"

    def usd_per_million_output(self, traffic: Traffic) -> Decimal:
        """Price of a million generated tokens together with the prompts that belong to them."""
        cached = self.input_usd if self.cached_usd is None else self.cached_usd
        share = _decimal(traffic.cached_share)
        prompt = self.input_usd * (1 - share) + cached * share
        return self.output_usd + _decimal(traffic.prompt_per_output) * prompt


class TcoPoint(msgspec.Struct, frozen=True):
    utilisation: float
    usd_per_million_output: Decimal
    measured: bool = False
    """True: the utilisation that was seen on the server."""


class Ownership(msgspec.Struct, frozen=True):
    usd_per_hour: Decimal
    """With redundancy and staff, as far as they are assumed."""
    tokens_per_second: float
    """Generated tokens at full load, prompts of the traffic being served as well."""
    rows: tuple[TcoPoint, ...]
    api_usd_per_million_output: Decimal | None
    break_even_utilisation: float | None
    """Utilisation from which the own machine is cheaper; above 1: never at this speed. None: no API price, or one that
    quality and review alone exceed.
    """
    measured_utilisation: float | None
    electricity_share: float | None
    """Part of the hour's cost that is electricity, where that is known."""
    sensitivity: tuple[tuple[str, Decimal, Decimal], ...]
    """What moves the figure, and how far: dollars per million at the low and the high end."""
    assumptions: tuple[AssumptionLine, ...] = ()


def compute_ownership(
    machine: RentedGpus | OwnedGpus,
    tokens_per_second: float,
    traffic: Traffic,
    api: ApiPrice | None = None,
    measured_utilisation: float | None = None,
    assumed: Overheads = Overheads(),  # noqa: B008 - frozen
) -> Ownership:
    """Dollars per million tokens at several utilisations, beside the price of the API.

    Raises:
        UserError: a speed of zero or less, or a utilisation outside of 0 to 1.
    """
    if tokens_per_second <= 0:
        raise UserError("--tokens-per-second must be more than 0; 'modicum energy bench' measures it")
    if measured_utilisation is not None and not 0 <= measured_utilisation <= 1.05:
        raise UserError(
            f"the measured utilisation comes to {percent(measured_utilisation, 0)}: the server generated more tokens "
            "than --tokens-per-second allows; measure its full speed with 'modicum energy bench'"
        )
    own_hour = machine.usd_per_hour()
    hour = own_hour + assumed.spare_usd_per_hour(own_hour) + assumed.staff_usd_hourly
    more = assumed.usd_per_million
    marked = min(1.0, measured_utilisation) if measured_utilisation else None
    levels = sorted({*SHOWN, *([marked] if marked else [])})
    rows = tuple(
        TcoPoint(level, price_per_million(hour, tokens_per_second, level) + more, level == marked) for level in levels
    )
    api_price = api.usd_per_million_output(traffic) if api else None
    full = price_per_million(hour, tokens_per_second, 1.0)
    return Ownership(
        usd_per_hour=hour,
        tokens_per_second=tokens_per_second,
        rows=rows,
        api_usd_per_million_output=api_price,
        break_even_utilisation=float(full / (api_price - more)) if api_price is not None and api_price > more else None,
        measured_utilisation=measured_utilisation,
        electricity_share=float(machine.power_usd_per_hour() / own_hour)
        if isinstance(machine, OwnedGpus) and own_hour
        else None,
        sensitivity=_compute_sensitivity(hour, tokens_per_second, marked or 0.5, assumed),
        assumptions=list_assumptions(own_hour, assumed),
    )


def price_per_million(usd_per_hour: Decimal, tokens_per_second: float, utilisation: float) -> Decimal:
    """Dollars per million generated tokens."""
    return usd_per_hour * MILLION / (_decimal(tokens_per_second) * _decimal(utilisation) * 3600)


def _compute_sensitivity(
    hour: Decimal, speed: float, utilisation: float, assumed: Overheads
) -> tuple[tuple[str, Decimal, Decimal], ...]:
    """Around the measured utilisation, or a half where none was measured."""
    more, quality = assumed.usd_per_million, assumed.quality
    moved = [
        (
            f"utilisation {percent(min(1, utilisation * 2), 0)} / {percent(utilisation / 2)}",
            price_per_million(hour, speed, min(1.0, utilisation * 2)) + more,
            price_per_million(hour, speed, utilisation / 2) + more,
        ),
        (
            "cost of an hour -30 % / +30 %",
            price_per_million(hour * Decimal("0.7"), speed, utilisation) + more,
            price_per_million(hour * Decimal("1.3"), speed, utilisation) + more,
        ),
        (
            "speed at full load +20 % / -20 %",
            price_per_million(hour, speed * 1.2, utilisation) + more,
            price_per_million(hour, speed * 0.8, utilisation) + more,
        ),
    ]
    if quality is not None and quality.low is not None and quality.high is not None:
        rest = price_per_million(hour, speed, utilisation) + assumed.review_usd_per_million
        ends = [rest + assumed.quality_usd_per_million(one) for one in (quality.low, quality.high)]
        moved.append((f"quality lost {100 * quality.low:+.1f} / {100 * quality.high:+.1f} points", ends[0], ends[1]))
    return tuple(moved)


def _decimal(number: float) -> Decimal:
    return Decimal(str(number))
