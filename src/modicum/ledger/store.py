"""The ledger behind one interface: append, ask, purge. DuckDB on one machine, ClickHouse on many, or the process that
holds it.

A question is one SQL file that both engines understand. Appending the same entry twice books it once; an entry that has
grown since (a greater revision) replaces its older self.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol

import msgspec

from modicum.calls import Entry
from modicum.ledger.record_table import N, RecordTable
from modicum.ledger.rows import Arrays, Row

DAYS_OPEN_FOR = timedelta(hours=1)
"""For how long no day is summed that has ended."""


class Appended(msgspec.Struct, frozen=True):
    """What became of a batch of entries or records."""

    new: int = 0
    replaced: int = 0
    unchanged: int = 0

    def __add__(self, other: "Appended") -> "Appended":
        return Appended(self.new + other.new, self.replaced + other.replaced, self.unchanged + other.unchanged)

    @property
    def booked(self) -> int:
        """How many of them stand in the ledger now."""
        return self.new + self.replaced


class Purge(msgspec.Struct, frozen=True, kw_only=True):
    """Which entries to forget: those that began before `before` and fit every owner part that is not empty."""

    before: datetime
    team: str = ""
    app: str = ""
    user: str = ""
    key: str = ""


class Store(Protocol):
    place: str
    """Where it is, as a person would write it."""

    def append(self, entries: Sequence[Entry]) -> Appended:
        """Books entries: all of them or, if it raises, none."""

    def append_records(
        self, table: RecordTable[N], records: Sequence[N], sent_ns: Sequence[int] | None = None
    ) -> Appended:
        """Books nouns of one table, each identity once, as the table settles repeats.

        `sent_ns` says when each was sent, in nanoseconds since 1970, where that may be long ago: of nouns of which the
        last one sent stands, what was sent since then stands. None: now.
        """

    def records(
        self,
        table: RecordTable[N],
        since: datetime | None = None,
        until: datetime | None = None,
        *,
        after: N | None = None,
        most: int | None = None,
    ) -> list[N]:
        """The nouns of one table, oldest first (of one moment, by identity).

        Args:
            table: which nouns.
            since: only those whose time is this or later.
            until: only those whose time is earlier.
            after: only those that come behind this one.
            most: no more than so many.
        """

    def ask(self, question: str, **parameters: Any) -> list[Row]:
        """The rows that answer `questions/<question>.sql`. Times are UTC with zone, money is Decimal.

        Raises:
            KeyError: a parameter that the question needs was not given.
        """

    def ask_columns(self, question: str, **parameters: Any) -> Arrays:
        """Asks a question as `ask` does, for millions of rows: an array per column. Whole numbers are int64 and never
        NULL; other numbers are float64, NaN where NULL; all else are objects.
        """

    def purge(self, which: Purge) -> int:
        """Forgets entries and their segments for good. Returns how many entries."""

    def purge_records(self, before: datetime) -> dict[str, int]:
        """Forgets nouns that were before, of the tables that are purged by age. Returns how many, by table. They have
        no owner.
        """

    def sum_days(self, zone: str, ended_before: datetime, most: int) -> int:
        """Sums days that have ended, so that questions over years need not read their entries; how many were summed.

        Args:
            zone: in which days begin. Another one than before has everything summed anew.
            ended_before: only days that ended before; `DAYS_OPEN_FOR` before now at the latest.
            most: days to sum, of those that wait for it.
        """

    def entries(self, batch: int = 10_000, after: str = "") -> Iterator[list[Entry]]:
        """All entries whose id comes after `after`, with their anatomy, in order of id."""

    def conversations_of(self, entry_ids: Sequence[str]) -> dict[str, str]:
        """Of these entries, those that are booked, each with the conversation that it is booked for; behind its name
        `conversations.FORMER` where the digests of its segments are of a former version.
        """

    def close(self) -> None: ...
