"""What was spent before this process counted: from the ledger, once it has all that the journals hold.

The gateway's own calls since then are counted in its memory. A call belongs to one of the two by when it began, so none
is counted twice and none is lost.
"""

import sqlite3
from collections.abc import Callable
from contextlib import AbstractContextManager, closing
from datetime import datetime
from pathlib import Path
from time import monotonic, sleep

from modicum.calls import UserError
from modicum.governance.budgets import Budget
from modicum.insights.budgets.spend import FormerSpend, former_spend
from modicum.ledger import positions
from modicum.ledger.journal import SHIPPED
from modicum.ledger.store import Store

WITHIN_S = 10.0
"""How long the ledger may take to get what the journals hold."""
LOOK_EVERY_S = 0.05

OpenLedger = Callable[[], AbstractContextManager[Store]]


class SpentBefore:
    """Asks the ledger. Used from a thread.

    Args:
        journals: the folder of the gateway's journals.
        open_ledger: None: there is none that could be asked.
        ledger: which ledger that is: gateways with the same one count what it holds once.
    """

    def __init__(self, journals: Path, open_ledger: OpenLedger | None, ledger: str = "") -> None:
        self._journals, self._open, self.ledger = journals, open_ledger, ledger

    def find(self, budget: Budget, since: datetime, until: datetime, counted_in: str = "") -> list[FormerSpend]:
        """What the budget's calls cost that began within a span; without those that were reserved again in a generation
        of shared counters.

        Raises:
            UserError: the ledger cannot be asked, or does not get what the journals hold.
        """
        if self._open is None:
            raise UserError("there is no ledger to ask what was spent")
        self._wait_until_shipped()
        with self._open() as store:
            return former_spend(store, budget, since, until, counted_in)

    def _wait_until_shipped(self) -> None:
        until = monotonic() + WITHIN_S
        written = {path: _last_record(path) for path in self._journals.glob("*.sqlite")}
        while behind := [path.name for path, last in written.items() if last > _shipped(path)]:
            if monotonic() >= until:
                raise UserError(f"the ledger does not get what the journal {behind[0]} holds")
            sleep(LOOK_EVERY_S)


def _last_record(path: Path) -> int:
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=5.0)) as base:
            return positions.last(base)
    except sqlite3.Error as error:
        raise UserError(f"the journal {path} cannot be read: {error}; 'modicum doctor' looks at it") from None


def _shipped(path: Path) -> int:
    position = positions.read(path, SHIPPED)
    return 0 if position is None else position.record
