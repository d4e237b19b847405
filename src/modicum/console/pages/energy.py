"""Energy: joules of watched servers beside the dollars of the calls that they served."""

from collections.abc import Mapping, Sequence
from typing import Any

from modicum.calls import Basis, UserError
from modicum.calls.words.counted_nouns import noun_for, number_of
from modicum.console.asking import Asking
from modicum.console.page import Cell, Content, Page, Table, Tile, with_command
from modicum.console.view import View
from modicum.energy.carbon import JOULES_PER_KWH, Facility
from modicum.insights.bill import BillLine, build
from modicum.insights.dimensions import shown_name
from modicum.insights.energy_consumption import Consumption, EnergyTotals, find_time_span, share_energy, sum_energy
from modicum.ledger.records import ENERGY_WINDOWS
from modicum.reports.figures import count, dollars


def read(asking: Asking, view: View) -> Content:
    """The figures of `modicum bill` and `modicum energy calls` for the same time.

    Raises:
        UserError: `grid` in the address is no number of grams.
    """
    windows = asking.records(ENERGY_WINDOWS, view.scope.since, view.scope.until)
    if not windows:
        return Content()
    key = ("energy", view.scope.since, view.scope.until)
    totals = asking.share((*key, "totals"), lambda: sum_energy(windows))
    since, until = find_time_span(windows)
    cut = {"by": "model", "tag": "", "zone": view.scope.zone, "since": since, "until": until, "where": {}}
    rows = asking.rows("energy_calls", provider="", **cut)
    found = asking.share((*key, "calls"), lambda: share_energy(windows, rows))
    spent = {line.name: line for line in build(asking.rows("bill", **cut), "model").rows}
    assert totals is not None  # noqa: S101 - there are windows
    assert found is not None  # noqa: S101
    facility = _facility_of(view)
    notes = [f"what is counted: {facility.covers}; calls are measured where windows cover their time"]
    if facility.grid_grams_per_kwh is None:
        notes.append("grams of CO2 come with the grid's grams per kWh, which depend on place and hour: give them below")
    if found.windows_overlapping:
        notes.append(
            f"{number_of(found.windows_overlapping, 'window')} of a second watch of the same GPUs "
            f"{noun_for(found.windows_overlapping, 'is', 'are')} left out"
        )
    return Content(
        tiles=_tiles(totals, facility),
        notes=notes,
        tables=[_model_table(found, rows, spent, facility, view)],
        parts={"grid": view.word("grid"), "pue": view.word("pue")},
    )


def _facility_of(view: View) -> Facility:
    """The factors of the address.

    Raises:
        UserError: they are none.
    """
    try:
        grid, pue = view.word("grid"), view.word("pue")
        facility = Facility(pue=float(pue) if pue else 1.0, grid_grams_per_kwh=float(grid) if grid else None)
    except ValueError:
        raise UserError("grid is a number of grams per kWh, and pue one from 1 on") from None
    facility.check()
    return facility


def _tiles(totals: EnergyTotals, facility: Facility) -> list[Tile]:
    grams = facility.grams_co2(totals.measured * JOULES_PER_KWH, totals.seconds)
    return [
        Tile(label="measured", value=f"{totals.measured:,.4g} kWh", basis=totals.basis.value, note="at the GPUs"),
        Tile(label="at work", value=f"{totals.busy:,.4g} kWh"),
        Tile(label="idle", value=f"{totals.idle:,.4g} kWh", basis=totals.idle_basis.value),
        *(
            []
            if grams is None
            else [Tile(label="CO2", value=f"{grams:,.4g} g", basis="estimated", note="by the grid's factor")]
        ),
        Tile(label="watched", value=f"{totals.seconds / 3600:,.2f} h", note=f"{number_of(totals.windows, 'window')}"),
    ]


def _model_table(
    found: Consumption,
    rows: Sequence[Mapping[str, Any]],
    spent: Mapping[str, BillLine],
    facility: Facility,
    view: View,
) -> Table:
    names = {row["entry_id"]: row["name"] for row in rows}
    sums: dict[str, list[float]] = {}
    for call in found.attribution.calls:
        one = sums.setdefault(names.get(call.call_id, ""), [0.0, 0.0, 0.0, 0.0])
        for place, value in enumerate((call.joules, call.idle_joules, call.generated_tokens, 1)):
            one[place] += value
    ordered = sorted(sums.items(), key=lambda item: -item[1][0])
    basis = (Basis.EXACT if found.counted else Basis.ESTIMATED) | Basis.ESTIMATED  # shared out by a fit
    return Table(
        name="energy-by-model",
        title="By model",
        columns=[
            "model",
            "spent",
            "joules",
            "of idle power",
            "calls",
            "tokens received",
            "joules a token",
            "kWh",
            "g CO2",
        ],
        rows=[
            [
                Cell(shown_name(name), name),
                Cell(dollars(spent[name].cost_usd) if name in spent else "unknown"),
                Cell(f"{joules:,.0f}", joules, basis=basis.value),
                Cell(f"{idle:,.0f}", idle),
                Cell(count(round(calls)), round(calls)),
                Cell(count(round(tokens)), round(tokens)),
                Cell(f"{joules / tokens:,.3g}" if tokens else "", joules / tokens if tokens else ""),
                Cell(f"{facility.kilowatt_hours(joules, 0):,.4g}", facility.kilowatt_hours(joules, 0)),
                Cell(_grams(facility.grams_co2(joules, 0)), facility.grams_co2(joules, 0) or ""),
            ]
            for name, (joules, idle, tokens, calls) in ordered
        ],
        verb=f"modicum energy calls{view.options(takes_where=False)}",
        empty="No call of the ledger ran on these servers while they were watched.",
    )


def _grams(grams: float | None) -> str:
    return "" if grams is None else f"{grams:,.3g}"


PAGE = Page(
    name="energy",
    title="Energy",
    about="What servers that you run drew, and for which models.",
    read=read,
    for_teams=False,
    takes_where=False,
    nothing=with_command(
        "No server was watched in that time. Who runs a server of models can have it measured, and what it draws is "
        "booked (docs/energy.md).",
        "modicum energy watch --server URL",
    ),
)
