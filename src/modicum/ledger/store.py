"""The ledger behind one interface: `append`, `ask`, `purge`. DuckDB on one machine, ClickHouse on many.

A question is one SQL file that both engines understand. Appending the same entry twice books it once; an entry that has
grown since (a greater revision) replaces its older self.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Protocol

import msgspec
import numpy as np
import numpy.typing as npt

from modicum.calls import AuditEvent, EnergyWindow, Entry, Outcome, UserError
from modicum.calls.storable import storable

Row = dict[str, Any]
Arrays = dict[str, npt.NDArray[Any]]


class Appended(msgspec.Struct, frozen=True):
    """What became of a batch of entries."""

    new: int = 0
    replaced: int = 0
    unchanged: int = 0

    def __add__(self, other: "Appended") -> "Appended":
        return Appended(self.new + other.new, self.replaced + other.replaced, self.unchanged + other.unchanged)


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

    def append_outcomes(self, outcomes: Sequence[Outcome], revisions: Sequence[int] | None = None) -> int:
        """Books outcomes; one that is known is replaced. Returns how many there were.

        `revisions` says when each was sent, in nanoseconds since 1970, where that may be long ago: what was booked
        since then stands. None: now.
        """

    def append_energy(self, windows: Sequence[EnergyWindow]) -> Appended:
        """Books windows of energy, each once by its `window_id`; a more complete record replaces an older one."""

    def append_audit(self, events: Sequence[AuditEvent]) -> int:
        """Books decisions, each once by its `event_id`. Returns how many were new."""

    def ask(self, question: str, **parameters: Any) -> list[Row]:
        """The rows that answer `questions/<question>.sql`. Times are UTC with zone, money is Decimal.

        Raises:
            KeyError: a parameter that the question needs was not given.
        """

    def ask_columns(self, question: str, **parameters: Any) -> Arrays:
        """As `ask`, for millions of rows: an array per column. Whole numbers are int64 and never NULL; other numbers
        are float64, NaN where NULL; all else are objects.
        """

    def purge(self, which: Purge) -> int:
        """Forgets entries and their segments for good. Returns how many entries."""

    def purge_energy(self, before: datetime) -> int:
        """Forgets windows of energy that began before. Returns how many. They have no owner."""

    def entries(self, batch: int = 10_000, after: str = "") -> Iterator[list[Entry]]:
        """All entries whose id comes after `after`, with their anatomy, in order of id."""

    def conversations_of(self, entry_ids: Sequence[str]) -> dict[str, str]:
        """Of these entries, those that are booked, each with the conversation that it is booked for."""

    def outcomes(self) -> list[Outcome]: ...

    def audit(self) -> list[AuditEvent]:
        """All decisions, oldest first."""

    def energy(self, since: datetime, until: datetime) -> list[EnergyWindow]:
        """Windows that began in that time, in order of it."""

    def close(self) -> None: ...


def open_store(url: str, *, read_only: bool = False) -> Store:
    """The ledger at `url`: a path (DuckDB), `:memory:`, `clickhouse://user:password@host:port/database`, `chdb://path`.

    It is made, or brought to the newest schema, if need be.

    Raises:
        UserError: it cannot be opened; the message says why and what to do.
    """
    if "://" in url:
        if not url.startswith(("clickhouse://", "clickhouses://", "chdb://")):
            raise UserError(f"'{url}' is no ledger: give a path, or clickhouse://user:password@host:port/database")
        from modicum.ledger.clickhouse import ClickHouseStore

        return ClickHouseStore(url)
    from modicum.ledger.embedded import DuckDBStore

    return DuckDBStore(url if url == ":memory:" else Path(url).expanduser(), read_only=read_only)


_PARAMETER = re.compile(r"\$([a-z_]+)")


@cache
def question_text(name: str) -> str:
    return (files("modicum.ledger") / "questions" / f"{name}.sql").read_text(encoding="utf-8")


@cache
def parameters_of(name: str) -> frozenset[str]:
    """The `$names` that a question binds."""
    code = "\n".join(line.partition("--")[0] for line in question_text(name).splitlines())
    return frozenset(_PARAMETER.findall(code))


def plain_array(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """A column of an engine as `ask_columns` promises it.

    Raises:
        ValueError: a column of whole numbers has a NULL: the question should have said what that means.
    """
    absent = np.ma.getmaskarray(values) if isinstance(values, np.ma.MaskedArray) else None
    if values.dtype.kind == "f":
        return np.asarray(np.ma.filled(values.astype(np.float64), np.nan))
    if values.dtype.kind in "iub":
        if absent is not None and absent.any():
            raise ValueError("a column of whole numbers holds NULL")
        return np.asarray(values).astype(np.int64, copy=False)
    return np.asarray(values, dtype=object)


def bound(question: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters that the question asks for."""
    told = {name: parameters[name] for name in parameters_of(question)}
    return {name: storable(value) if isinstance(value, str) else value for name, value in told.items()}


def migrations(engine: str) -> list[tuple[int, str]]:
    """Number and SQL of every schema file of an engine, in order; those in `both` are the same on all engines."""
    schema = files("modicum.ledger") / "schema"
    found = [
        (int(file.name[:3]), file.read_text(encoding="utf-8"))
        for folder in (engine, "both")
        for file in (schema / folder).iterdir()
    ]
    return sorted(found)


def statements(sql: str) -> Iterator[str]:
    """The statements of a schema file, without comments. Our own files hold no semicolon within a statement."""
    code = "\n".join(line.partition("--")[0] for line in sql.splitlines())
    yield from (part.strip() for part in code.split(";") if part.strip())
