"""Sums of days in a DuckDB ledger. Account of touched slots is kept in the transaction that touches them."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import duckdb

from modicum.ledger.rollups.day_spans import Span, Spans, divide, last_days, slots_within, touched_days
from modicum.ledger.rollups.figures import rollup_columns, sum_of_day

SLOT = "CAST(floor(epoch(started) / 900) AS BIGINT)"
"""The slot of an entry, in SQL."""
_COLUMNS = ", ".join(rollup_columns())
_SUM_OF_DAY = sum_of_day("entries", "started >= $begins AND started < $ends", "CAST($begins AS TIMESTAMP)")
_DATES = """
SELECT count(DISTINCT CAST(local_time($begins + quarter * INTERVAL 15 MINUTE, $zone) AS DATE))
FROM range($quarters) AS quarters (quarter)
"""
"""How many dates the engine's own table of zones has in a day."""


class EmbeddedRollups:
    """Knows which days of one ledger are summed. Nobody else writes to it meanwhile, so what it knows stays in memory.

    Args:
        base: the ledger, whose transactions are begun and ended by the caller.
        is_there: whether it has the tables; a ledger that is only read may be of an older version.
    """

    def __init__(self, base: duckdb.DuckDBPyConnection, *, is_there: bool) -> None:
        self._base = base
        self.zone = ""
        """In which days are summed; empty: none was."""
        self._touched: set[int] = set()
        self._days: list[Span] | None = None
        """Of touched slots; None: to be worked out."""
        self._can_be_summed: dict[Span, bool] = {}
        """Of days that were looked at."""
        if is_there:
            self.load()

    def load(self) -> None:
        """Reads what the ledger says: when it is opened, and after a transaction that failed."""
        zones = self._base.execute("SELECT zone FROM rollup_zone").fetchall()
        self.zone = zones[0][0] if zones else ""
        self._touched = {slot for (slot,) in self._base.execute("SELECT slot FROM touched_slots").fetchall()}
        self._days = None

    def touch(self, slots: Iterable[int]) -> None:
        """Puts down that something happened to entries of these slots."""
        if not self.zone:
            return
        fresh = set(slots) - self._touched
        if fresh:
            self._base.execute("INSERT INTO touched_slots SELECT unnest($slots)", {"slots": sorted(fresh)})
            self._touched |= fresh
            self._days = None

    def slots(self, condition: str, parameters: Any = None) -> list[int]:
        """The slots of the entries that fit; none where no account is kept."""
        if not self.zone:
            return []
        rows = self._base.execute(f"SELECT DISTINCT {SLOT} FROM entries WHERE {condition}", parameters).fetchall()
        return [slot for (slot,) in rows]

    def spans(self, since: datetime, until: datetime) -> Spans:
        """How that time is divided into days that are summed and the rest."""
        if self._days is None:
            self._days = touched_days(self._touched, self.zone)
        return divide(since, until, self._days, self.zone)

    def begin(self, zone: str) -> None:
        """Has all days summed anew, as this zone has them."""
        for table in ("rollups", "touched_slots", "rollup_zone"):
            self._base.execute(f"DELETE FROM {table}")
        self._base.execute("INSERT INTO rollup_zone VALUES ($zone)", {"zone": zone})
        self._base.execute(f"INSERT INTO touched_slots SELECT DISTINCT {SLOT} FROM entries")
        self._can_be_summed = {}
        self.load()

    def due_days(self, ended_before: datetime, most: int) -> list[Span]:
        """Days to be summed, the last ones first."""
        return last_days(self._touched, self.zone, ended_before, most, self._is_a_day)

    def leave_out(self, day: Span) -> None:
        """Has a day read from its entries for as long as the ledger is open: its sums do not fit the columns."""
        self._can_be_summed[day] = False

    def _is_a_day(self, day: Span) -> bool:
        """Whether the engine cuts this day as we do: its table of zones may be older or newer than Python's."""
        if day not in self._can_be_summed:
            first, behind = slots_within(day)
            bounds = {"begins": _naive(day[0]), "zone": self.zone, "quarters": behind - first}
            self._can_be_summed[day] = self._base.execute(_DATES, bounds).fetchall() == [(1,)]
        return self._can_be_summed[day]

    def sum_day(self, day: Span) -> None:
        """Sums a day anew."""
        bounds = {"begins": _naive(day[0]), "ends": _naive(day[1])}
        self._base.execute("DELETE FROM rollups WHERE started >= $begins AND started < $ends", bounds)
        self._base.execute(
            f"INSERT INTO rollups (zone, {_COLUMNS}) SELECT $zone AS zone, * FROM ({_SUM_OF_DAY}) AS sums",
            {**bounds, "zone": self.zone},
        )
        first, behind = slots_within(day)
        self._base.execute(
            "DELETE FROM touched_slots WHERE slot >= $first AND slot < $behind", {"first": first, "behind": behind}
        )
        self._touched = {slot for slot in self._touched if not first <= slot < behind}
        self._days = None


def _naive(at: datetime) -> datetime:
    return at.replace(tzinfo=None)
