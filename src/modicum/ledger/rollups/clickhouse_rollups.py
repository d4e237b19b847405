"""Sums of days in a ledger on ClickHouse, where many programs write at once and nothing is one transaction.

A slot is marked before and after entries go into it, by the server's clock, and a day's sums count only if none of its
slots was marked since they were begun. So whoever is stopped half-way leaves a day that is read from its entries.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from modicum.ledger.rollups.day_spans import Span, Spans, divide, last_days, slot_of, slots_within, touched_days
from modicum.ledger.rollups.figures import rollup_columns, sum_of_day
from modicum.ledger.rows import Row
from modicum.ledger.store import DAYS_OPEN_FOR

TABLE = "entries_by_time"
SLOT = "toInt64(floor(toUnixTimestamp64Micro(started) / 900000000))"
"""The slot of an entry, in SQL."""
_COLUMNS = ", ".join(rollup_columns())
_SUM_OF_DAY = sum_of_day(TABLE, "started >= $begins AND started < $ends", "toDateTime64($begins, 6, 'UTC')")
_DATES = """
SELECT count(DISTINCT CAST(local_time($begins + INTERVAL number * 15 MINUTE, $zone) AS DATE)) AS dates
FROM numbers($quarters)
"""
"""How many dates the server's own table of zones has in a day."""
_TOUCHED = """
SELECT touched.slot AS slot
FROM (SELECT slot, max(touched_at) AS touched_at FROM touched_slots_log GROUP BY slot) AS touched
LEFT JOIN (
    SELECT slot, max(summed_at) AS summed_at FROM summed_slots_log WHERE zone = $zone GROUP BY slot
) AS summed ON summed.slot = touched.slot
WHERE summed.summed_at IS NULL OR summed.summed_at <= touched.touched_at
"""

_CLOCKS_DIFFER = timedelta(minutes=1)
"""At most, of the server and those who book."""


class ClickHouseRollups:
    """Asks the server which days are summed, each time: others write there too.

    Args:
        rows: asks a query with `$name` parameters.
        command: runs a statement with `$name` parameters.
    """

    def __init__(
        self, rows: Callable[[str, Mapping[str, Any]], list[Row]], command: Callable[[str, Mapping[str, Any]], None]
    ) -> None:
        self._rows, self._command = rows, command
        self._marked: set[int] = set()
        """Slots that we have marked already."""
        self._can_be_summed: dict[tuple[str, Span], bool] = {}
        """Of days of a zone that were looked at."""

    def zone(self) -> str:
        """In which days are summed; empty: none was."""
        rows = self._rows("SELECT zone FROM rollup_zone_log ORDER BY set_at DESC LIMIT 1", {})
        return str(rows[0]["zone"]) if rows else ""

    def touch(self, slots: Iterable[int]) -> None:
        """Puts down that something happens to entries of these slots; to be called before it and after it."""
        # No day is summed in the hour in which it ended, so one mark is enough for what comes as it happens.
        open_from = slot_of(datetime.now(UTC) - DAYS_OPEN_FOR) + 1
        unmarked = {slot for slot in slots if slot < open_from or slot not in self._marked}
        if unmarked:
            listed = ", ".join(f"({slot:d}, now64(6))" for slot in sorted(unmarked))
            self._command(
                f"INSERT INTO touched_slots_log SELECT * FROM values('slot Int64, at DateTime64(6)', {listed})", {}
            )
            self._marked = {slot for slot in self._marked | unmarked if slot >= open_from}

    def touch_again(self, booked: Iterable[tuple[int, datetime]]) -> None:
        """Puts down the slots of entries that come a second time, where nothing was put down since they were booked.
        Who booked them may have been killed before the second mark, and the day been summed without them.

        Args:
            booked: of each entry the slot, and when it was booked.
        """
        latest: dict[int, datetime] = {}
        for slot, at in booked:
            latest[slot] = max(at, latest.get(slot, at))
        if not latest:
            return
        listed = ", ".join(f"{slot:d}" for slot in latest)
        marks = self._rows(
            f"SELECT slot, max(touched_at) AS at FROM touched_slots_log WHERE slot IN ({listed}) GROUP BY slot", {}
        )
        marked = {row["slot"]: row["at"] for row in marks}
        self.touch(slot for slot, at in latest.items() if slot not in marked or marked[slot] <= at + _CLOCKS_DIFFER)

    def slots(self, condition: str, parameters: Mapping[str, Any]) -> list[int]:
        """The slots of the entries that fit."""
        return [
            row["slot"]
            for row in self._rows(f"SELECT DISTINCT {SLOT} AS slot FROM entries WHERE {condition}", parameters)
        ]

    def spans(self, since: datetime, until: datetime, zone: str) -> Spans:
        """How that time is divided into days that are summed and the rest."""
        return divide(since, until, touched_days(self._touched(zone), zone), zone)

    def begin(self, zone: str) -> None:
        """Has days summed as this zone has them."""
        self._command("INSERT INTO rollup_zone_log SELECT $zone, now64(6)", {"zone": zone})

    def due_days(self, zone: str, ended_before: datetime, most: int) -> list[Span]:
        """Days to be summed, the last ones first."""
        return last_days(self._touched(zone), zone, ended_before, most, lambda day: self._is_a_day(zone, day))

    def sum_day(self, zone: str, day: Span) -> None:
        """Sums a day anew."""
        now = self._rows("SELECT now64(6) AS now", {})[0]["now"]
        bounds = {"zone": zone, "begins": day[0], "ends": day[1], "now": now}
        self._command(
            f"INSERT INTO rollups_log (zone, {_COLUMNS}, summed_at) SELECT $zone AS zone, *, $now AS summed_at"
            f" FROM ({_SUM_OF_DAY}) AS sums",
            bounds,
        )
        known = {"zone": zone, "begins": day[0]}
        before = self._rows("SELECT 1 FROM summed_days_log WHERE zone = $zone AND started = $begins LIMIT 1", known)
        self._command("INSERT INTO summed_days_log SELECT $zone, $begins, $now", {**known, "now": now})
        listed = ", ".join(f"({slot:d})" for slot in range(*slots_within(day)))
        self._command(
            f"INSERT INTO summed_slots_log SELECT $zone, slot, $now FROM values('slot Int64', {listed})",
            {"zone": zone, "now": now},
        )
        if before:
            self._command(
                "ALTER TABLE rollups_log DELETE WHERE zone = $zone AND started = $begins AND summed_at < $now",
                {**known, "now": now},
            )

    def _is_a_day(self, zone: str, day: Span) -> bool:
        """Whether the server cuts this day as we do: its table of zones may be older or newer than Python's."""
        if (zone, day) not in self._can_be_summed:
            first, behind = slots_within(day)
            bounds = {"begins": day[0], "zone": zone, "quarters": behind - first}
            self._can_be_summed[zone, day] = self._rows(_DATES, bounds) == [{"dates": 1}]
        return self._can_be_summed[zone, day]

    def _touched(self, zone: str) -> list[int]:
        return [row["slot"] for row in self._rows(_TOUCHED, {"zone": zone})]
