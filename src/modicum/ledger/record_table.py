"""How a noun lies in the ledger: one `RecordTable` says all that storing, reading, copying and forgetting it needs."""

import re
from collections.abc import Callable, Sequence
from datetime import datetime
from enum import Enum, auto
from time import time_ns
from types import GenericAlias
from typing import Any, Generic, TypeVar

import msgspec

from modicum.calls.outside.storable import storable
from modicum.calls.words.counted_nouns import number_of
from modicum.ledger.rows import Columns, Row, storable_columns

N = TypeVar("N")

REVISION = "revision"
"""The column that says which record of one identity is the newer one."""
_NAME = re.compile(r"[a-z][a-z0-9_]*")


class ColumnKind(Enum):
    """What a column holds; each engine has its own type for it (`tables.py`)."""

    TEXT = auto()
    NAME = auto()
    """Text of which there are few different ones."""
    WHOLE = auto()
    NUMBER = auto()
    FLAG = auto()
    TIME = auto()
    """A moment, to the microsecond, in UTC."""
    MONEY = auto()
    """A Decimal with ten places: a tenth of a nano-dollar, below any unit price."""


class Repeats(Enum):
    """Which of two records with the same identity stands."""

    FIRST_STANDS = auto()
    GREATEST_REVISION_STANDS = auto()
    """Of equal revisions, the one that was booked first."""
    LAST_SENT_STANDS = auto()
    """What is booked counts as sent now, unless somebody says when it was sent."""


class Column(msgspec.Struct, Generic[N], frozen=True):
    """One column and how a noun fills it.

    A column that joins a noun after ledgers hold some of it needs a `default` or must be `nullable`: it is added when a
    ledger is opened, and that is what older records have in it.
    """

    name: str
    kind: ColumnKind
    fill: Callable[[N], Any]
    nullable: bool = False
    default: str | float | None = None


SENT: Column[Any] = Column(REVISION, ColumnKind.WHOLE, lambda _: time_ns())
"""The revision of nouns of which the one that was sent last stands: when that was, in nanoseconds since 1970."""


class RecordTable(msgspec.Struct, Generic[N], frozen=True, kw_only=True):
    """A noun and its table.

    Raises:
        ValueError: the table does not hold together; the message says where.
    """

    name: str
    """Of the table (on ClickHouse: of the view), of the noun's path at the ledger process, and of its key in JSON."""
    label: str
    """What people read for many of them: `windows of energy`."""
    noun: type[N]
    columns: tuple[Column[N], ...]
    from_row: Callable[[Row], N]
    identity: str
    """The column of which a ledger holds each value once."""
    time: str
    """The column that says when it was: records are read in its order, and age by it."""
    repeats: Repeats
    purged_by_age: bool = False
    """Whether forgetting all calls of an age forgets these too."""
    clickhouse_log: str = ""
    """The table on ClickHouse, which holds replaced records too. Empty: the name with `_log` behind it."""
    journal_kind: str = ""
    """How a gateway's journal names one. Empty: none comes through a journal."""

    def __post_init__(self) -> None:
        kinds = self.kinds
        names = [self.name, self.log, *kinds]
        faults = [f"'{name}' is no name of a table or column" for name in names if not _NAME.fullmatch(name)]
        if len(kinds) < len(self.columns):
            faults.append("two columns have one name")
        if kinds.get(self.identity) not in {ColumnKind.TEXT, ColumnKind.NAME}:
            faults.append(f"'{self.identity}', its identity, is no column of kind TEXT")
        if kinds.get(self.time) is not ColumnKind.TIME:
            faults.append(f"'{self.time}', by which it ages, is no column of kind TIME")
        if self.is_revised != (kinds.get(REVISION) is ColumnKind.WHOLE):
            faults.append(f"{self.repeats.name} does not fit its columns: '{REVISION}' (WHOLE) says which is newer")
        if faults:
            raise ValueError(f"the table of records '{self.name}': {'; '.join(faults)}")

    @property
    def kinds(self) -> dict[str, ColumnKind]:
        return {column.name: column.kind for column in self.columns}

    @property
    def log(self) -> str:
        return self.clickhouse_log or f"{self.name}_log"

    @property
    def is_revised(self) -> bool:
        return self.repeats is not Repeats.FIRST_STANDS

    def fill(self, records: Sequence[N], sent_ns: Sequence[int] | None = None) -> Columns:
        """The columns of those of a batch that stand, each identity once.

        Args:
            records: nouns in the order in which they were told.
            sent_ns: when each was sent, in nanoseconds since 1970; None: now. Of use where the last one sent stands.

        Raises:
            ValueError: the times are not as many as the records.
        """
        if sent_ns is not None and len(sent_ns) != len(records):
            raise ValueError(f"{len(sent_ns)} times for {number_of(len(records), 'record')}")
        is_sent = self.repeats is Repeats.LAST_SENT_STANDS
        if is_sent:
            revisions = list(sent_ns) if sent_ns is not None else [time_ns()] * len(records)
        elif self.repeats is Repeats.GREATEST_REVISION_STANDS:
            revisions = list(map(self._fill_of(REVISION), records))
        else:
            revisions = [0] * len(records)
        identity = self._fill_of(self.identity)
        standing: dict[str, tuple[int, N]] = {}
        for revision, record in zip(revisions, records, strict=True):
            name = storable(identity(record))
            known = standing.get(name)
            if known is None or revision > known[0] or (is_sent and revision == known[0]):
                standing[name] = revision, record
        nouns = [record for _, record in standing.values()]
        columns = {column.name: list(map(column.fill, nouns)) for column in self.columns}
        if is_sent:
            columns[REVISION] = [revision for revision, _ in standing.values()]
        return storable_columns(columns)

    def place_of(self, record: N) -> tuple[datetime, Any]:
        """Where it stands in the order in which records are read: its time, and of equals its identity."""
        return self._fill_of(self.time)(record), self._fill_of(self.identity)(record)

    def decode(self, data: bytes) -> list[N]:
        """Records as another process wrote them: MessagePack or JSON.

        Raises:
            msgspec.DecodeError: they are none.
        """
        decode = msgspec.json.decode if data[:1] == b"[" else msgspec.msgpack.decode
        records: list[N] = decode(data, type=self._many)
        return records

    def convert(self, documents: Any) -> list[N]:
        """Records from what was decoded already; else as `decode`."""
        records: list[N] = msgspec.convert(documents, self._many)
        return records

    @property
    def _many(self) -> Any:
        return GenericAlias(list, (self.noun,))

    def _fill_of(self, name: str) -> Callable[[N], Any]:
        return next(column.fill for column in self.columns if column.name == name)
