"""Why figures are not exact: by reason, and how many calls each concerns.

Nothing of it is stored: what is not understood of a call stands with the call, and the rates of its day say what is not
sure of its price. As the bill, it is a fold of cells, which the question `doubts` gives or `make_doubt_cells`.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from modicum.calls import Basis, Entry, Tier
from modicum.calls.caveats import explain_caveat
from modicum.calls.rates import KIN

if TYPE_CHECKING:
    from modicum.metering.prices import PriceBook

Cell = Mapping[str, Any]
MOST_MODELS = 3
"""Models that a reason names."""
DOUBTED = (
    *("cache_read", "cache_write_5m", "cache_write_1h", "input_audio", "cache_read_audio"),
    *("cache_write_30m", "cache_write_12h", "output_audio", "output_image", "output_video"),
)
"""Buckets that some models have no price of their own for."""


LOGGED_EARLY = "output that was logged before its count was final"
UNSURE_PRICES = "prices that are not sure ('modicum prices MODEL --at DATE' says why)"


class Doubt(msgspec.Struct, frozen=True):
    reason: str
    calls: int
    models: list[str] = []
    """Those that it concerns most, where the reason is one of prices."""


def find_doubts(cells: Iterable[Cell], prices: "PriceBook") -> list[Doubt]:
    """The reasons, the one of most calls first."""
    calls: dict[str, int] = {}
    models: dict[str, dict[str, int]] = {}
    for cell in cells:
        for reason, of_price in _reasons(cell, prices):
            calls[reason] = calls.get(reason, 0) + cell["calls"]
            if of_price:
                by_model = models.setdefault(reason, {})
                by_model[cell["model"]] = by_model.get(cell["model"], 0) + cell["calls"]
    ordered = sorted(calls, key=lambda reason: (-calls[reason], reason))
    return [Doubt(reason, calls[reason], _most(models.get(reason, {}))) for reason in ordered]


def _most(by_model: Mapping[str, int]) -> list[str]:
    return sorted(by_model, key=lambda model: (-by_model[model], model))[:MOST_MODELS]


def _reasons(cell: Cell, prices: "PriceBook") -> Iterator[tuple[str, bool]]:
    """Every reason, and whether it is one of prices."""
    caveats = msgspec.json.decode(cell["caveats"], type=list[str])
    yield from ((explain_caveat(caveat), False) for caveat in caveats)
    counted = Basis(cell["usage_basis"]) | Basis(cell["output_basis"])
    if counted is Basis.LOWER_BOUND:
        yield LOGGED_EARLY, False
    elif counted is Basis.ESTIMATED:
        yield "counts that are no provider's count of a call", False
    explained = counted | (Basis.ESTIMATED if caveats else Basis.EXACT)
    if cell["price_source"] in {"reported", "provider"} or explained is Basis(cell["cost_basis"]):
        return
    yield from ((reason, True) for reason in _doubts_of_price(cell, prices))


def _doubts_of_price(cell: Cell, prices: "PriceBook") -> Iterator[str]:
    at = cell["first_started"]
    rates = prices.rates(cell["provider"], cell["model"], at, Tier(cell["tier"]), region=cell["region"])
    units = msgspec.json.decode(cell["requests"], type=dict[str, int])
    if rates is None:
        yield "a price that is no longer known"
        return
    reasons = [f"requests of a kind that no fee is known for: {unit}" for unit in units if unit not in rates.fees]
    reasons += [
        f"{bucket} without a price of its own, priced as {KIN.get(bucket, 'input_uncached')}"
        for bucket in rates.fallbacks
        if cell.get(bucket)
    ]
    if rates.basis is not Basis.EXACT or not reasons:  # a doubt may begin above some size of the prompt
        reasons.append(UNSURE_PRICES)
    yield from reasons


def make_doubt_cells(entries: Iterable[Entry]) -> list[dict[str, Any]]:
    """The cells of entries, as the question `doubts` would give them."""
    cells: dict[tuple[Any, ...], dict[str, Any]] = {}
    for entry in entries:
        call, cost = entry.call, entry.cost
        charges = call.charges
        if cost.basis in {Basis.EXACT, Basis.UNKNOWN} and not charges.caveats:
            continue
        key = (
            *(call.source, call.provider, call.model, call.tier, charges.region, call.usage_basis, call.output_basis),
            *(cost.basis, cost.price_source or "", tuple(charges.requests.items()), charges.caveats),
        )
        cell = cells.get(key)
        if cell is None:
            cell = cells[key] = _new_cell(entry)
        cell["calls"] += call.calls_count
        cell["first_started"] = min(cell["first_started"], call.started)
        for bucket in DOUBTED:
            cell[bucket] += getattr(call.usage, bucket)
    return list(cells.values())


def _new_cell(entry: Entry) -> dict[str, Any]:
    call, cost = entry.call, entry.cost
    return {
        "source": call.source,
        "provider": call.provider,
        "model": call.model,
        "tier": call.tier,
        "region": call.charges.region,
        "usage_basis": call.usage_basis,
        "output_basis": call.output_basis,
        "cost_basis": cost.basis,
        "price_source": cost.price_source or "",
        "requests": msgspec.json.encode(call.charges.requests).decode(),
        "caveats": msgspec.json.encode(call.charges.caveats).decode(),
        "calls": 0,
        "first_started": call.started,
        **dict.fromkeys(DOUBTED, 0),
    }
