"""What was spent before this process counted: from the ledger, once it has all that the journals hold.

The gateway's own calls since then are counted in its memory. A call belongs to one of the two by when it began, so none
is counted twice and none is lost.
"""

import sqlite3
from collections.abc import Callable
from contextlib import AbstractContextManager, closing
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from time import monotonic, sleep
from typing import NamedTuple

from modicum.calls import UserError
from modicum.governance.budgets import Amounts, Budget, fits_model
from modicum.governance.worst_case import ceiling, nano_usd
from modicum.insights.budget_spend import EACH_FIELDS, WHOLE_S, BudgetSpend, find_spend
from modicum.ledger import positions
from modicum.ledger.journal import SHIPPED
from modicum.ledger.store import Store
from modicum.state.memory import SLOTS

WITHIN_S = 10.0
"""How long the ledger may take to get what the journals hold."""
LOOK_EVERY_S = 0.05

OpenLedger = Callable[[], AbstractContextManager[Store]]


class FormerSpend(NamedTuple):
    """One of a budget's sums, or a part of it."""

    instance: tuple[str, ...]
    age_s: float
    amount: int


class SpentBefore:
    """Asks the ledger. Used from a thread.

    Args:
        journals: the folder of the gateway's journals.
        open_ledger: None: there is none that could be asked.
    """

    def __init__(self, journals: Path, open_ledger: OpenLedger | None) -> None:
        self._journals, self._open = journals, open_ledger

    def find(self, budget: Budget, since: datetime, until: datetime) -> list[FormerSpend]:
        """What the budget's calls cost that began within a span.

        Raises:
            UserError: the ledger cannot be asked, or does not get what the journals hold.
        """
        if self._open is None:
            raise UserError("there is no ledger to ask what was spent")
        self._wait_until_shipped()
        with self._open() as store:
            return former_spend(store, budget, since, until)

    def _wait_until_shipped(self) -> None:
        until = monotonic() + WITHIN_S
        written = {path: _last_record(path) for path in self._journals.glob("*.sqlite")}
        while behind := [path.name for path, last in written.items() if last > _shipped(path)]:
            if monotonic() >= until:
                raise UserError(f"the ledger does not get what the journal {behind[0]} holds")
            sleep(LOOK_EVERY_S)


def former_spend(store: Store, budget: Budget, since: datetime, until: datetime) -> list[FormerSpend]:
    """What a budget's calls cost that began within a span, by its own sums. A call whose cost nobody knows counts with
    what was reserved for it.
    """
    slot_s = budget.window.sliding_s / SLOTS or WHOLE_S
    scope = {name: getattr(budget, name) for name in EACH_FIELDS} | {"tag": budget.tag}
    sums: dict[tuple[tuple[str, ...], float], int] = {}
    for spend in find_spend(store, scope, since, until, slot_s):
        if budget.model and not fits_model(budget.model, spend.model):
            continue
        place = spend.instance, spend.age_s
        sums[place] = sums.get(place, 0) + (_amounts(spend).in_unit(budget.unit) or 0)
    return [FormerSpend(instance, age_s, amount) for (instance, age_s), amount in sums.items()]


def _amounts(spend: BudgetSpend) -> Amounts:
    text, count = spend.reserved
    if text:
        reserved = Amounts.parse(text)
        usd, tokens = reserved.nano_usd or 0, reserved.effective_tokens or 0
        return Amounts(usd * count, tokens * count, spend.calls)
    return Amounts(nano_usd(spend.usd), ceiling(Decimal(spend.effective_tokens)), spend.calls)


def _last_record(path: Path) -> int:
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=5.0)) as base:
        return positions.last(base)


def _shipped(path: Path) -> int:
    position = positions.read(path, SHIPPED)
    return 0 if position is None else position.record
