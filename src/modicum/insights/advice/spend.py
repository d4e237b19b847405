"""What was spent, by model and project, with its basis: the bill in short, to stand beside something else."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import msgspec

from modicum.calls import Basis
from modicum.insights.bill import BillLine, Cell, build
from modicum.ledger.store import Store


class SpendRow(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    calls: int
    cost_usd: Decimal | None
    """None: no price is known."""
    basis: Basis


class Spend(msgspec.Struct, frozen=True, kw_only=True):
    cost_usd: Decimal | None
    basis: Basis
    """Of the sum: the weakest of its parts."""
    models: list[SpendRow]
    """The dearest first, after those without a price."""
    projects: list[SpendRow]


def sum_spend(store: Store, span: tuple[datetime, datetime], zone: ZoneInfo) -> Spend:
    """The bill of the calls that began in that time."""

    def ask(by: str) -> Iterable[Cell]:
        return store.ask("bill", by=by, tag="", zone=zone.key, since=span[0], until=span[1])

    models, projects = build(ask("model"), "model"), build(ask("project"), "project")
    return Spend(
        cost_usd=models.total.cost_usd,
        basis=models.total.basis,
        models=[_row_of(line) for line in models.rows],
        projects=[_row_of(line) for line in projects.rows],
    )


def _row_of(line: BillLine) -> SpendRow:
    return SpendRow(name=line.name, calls=line.calls, cost_usd=line.cost_usd, basis=line.basis)
