"""The energy of the ledger's tasks, where servers were watched while they ran."""

from datetime import timedelta

from modicum.insights.scoping.scope import Scope
from modicum.ledger.records import ENERGY_WINDOWS
from modicum.ledger.rows import Row
from modicum.ledger.store import Store

BESIDE = timedelta(days=1)
"""Windows from so long before and after the tasks are fitted too: a law from an hour's windows would be a poor one."""


def add_task_energy(store: Store, cells: list[Row], scope: Scope, **cut: str) -> list[Row]:
    """The cells, a task under a name each, with `joules` and `calls_measured` where servers were watched meanwhile."""
    if not cells:
        return cells
    ran = store.ask("yield_span", since=scope.since, until=scope.until)[0]
    windows = store.records(ENERGY_WINDOWS, ran["first_started"] - BESIDE, ran["last_finished"] + BESIDE)
    if not windows:
        return cells
    from modicum.insights.energy_consumption import add_energy, find_time_span, share_energy

    since, until = find_time_span(windows)
    rows = store.ask("energy_calls", **{**scope.parameters, "since": since, "until": until}, provider="", **cut)
    return [dict(cell) for cell in add_energy(cells, rows, share_energy(windows, rows))]
