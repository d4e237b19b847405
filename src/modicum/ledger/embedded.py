"""The ledger in a DuckDB file: one machine, one process at a time.

There is no index: a batch is joined with what is there, which on ten million entries is faster than a primary key and
leaves the file a seventh of the size.
"""

import os
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import numpy as np

from modicum.calls import AuditEvent, EnergyWindow, Entry, Outcome, UserError
from modicum.ledger.asking import PURGED, Questions
from modicum.ledger.booking import newest
from modicum.ledger.columns import (
    AUDIT_COLUMNS,
    EDIT_COLUMNS,
    ENERGY_COLUMNS,
    ENTRY_COLUMNS,
    OUTCOME_COLUMNS,
    REUSE_COLUMNS,
    SEGMENT_COLUMNS,
    Columns,
    audit_columns,
    edit_columns,
    energy_columns,
    entry_columns,
    longest,
    outcome_columns,
    reuse_columns,
    segment_columns,
)
from modicum.ledger.store import (
    Appended,
    Arrays,
    Purge,
    Row,
    bound,
    migrations,
    plain_array,
    question_text,
    statements,
)

MONEY_PLACES = 10
_MONEY = {name for name in ENTRY_COLUMNS if name.endswith("_usd")}
_TIMES = {"started", "first_token", "finished", "happened_at"}
_HOLDER = re.compile(r"PID (\d+)")


class DuckDBStore(Questions):
    def __init__(self, path: Path | str, *, read_only: bool = False) -> None:
        self.place = str(path)
        if isinstance(path, Path):
            read_only = read_only and path.exists()
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            if not path.exists():
                _make(path)
        try:
            self._base = duckdb.connect(str(path), read_only=read_only)
        except duckdb.IOException as error:
            raise UserError(_why_not(path, str(error))) from None
        except duckdb.Error as error:
            raise UserError(f"{path} is no ledger that can be read: {str(error).splitlines()[0]}") from None
        if not read_only:
            try:
                self._migrate()
            except duckdb.IOException as error:
                self._base.close()
                raise UserError(_why_not(path, str(error))) from None

    def append(self, entries: Sequence[Entry]) -> Appended:
        if not entries:
            return Appended()
        now = datetime.now(UTC).replace(tzinfo=None)
        batch = newest(entries)
        with self._transaction():
            self._stage("staged_entries", entry_columns(batch), ENTRY_COLUMNS)
            self._base.execute(_FRESH)
            fresh, replaced = self._row("SELECT count(*), count(*) FILTER (is_known) FROM fresh")
            if replaced:
                self._base.execute("DELETE FROM entries WHERE entry_id IN (SELECT entry_id FROM fresh WHERE is_known)")
                self._base.execute("DELETE FROM segments WHERE entry_id IN (SELECT entry_id FROM fresh WHERE is_known)")
                self._base.execute("DELETE FROM edits WHERE entry_id IN (SELECT entry_id FROM fresh WHERE is_known)")
            self._base.execute(_BOOK, {"now": now})
            segments = segment_columns(batch)
            if segments["entry_id"]:
                self._stage("staged_segments", segments, SEGMENT_COLUMNS)
                self._base.execute(_BOOK_SEGMENTS)
            edits = edit_columns(batch)
            if edits["entry_id"]:
                self._stage("staged_edits", edits, EDIT_COLUMNS)
                self._base.execute(_BOOK_EDITS)
            self._base.execute("DROP TABLE fresh")
            self._append_reuse(reuse_columns(batch))
        return Appended(fresh - replaced, replaced, len(entries) - fresh)

    def _append_reuse(self, columns: Columns) -> None:
        """Of calls that are known, too: a log that has grown tells more of what was made of their results."""
        if not columns["entry_id"]:
            return
        self._stage("staged_reuse", columns, REUSE_COLUMNS)
        same = "reuse.entry_id = staged_reuse.entry_id AND reuse.digest = staged_reuse.digest"
        self._base.execute(
            f"DELETE FROM staged_reuse USING reuse WHERE {same} AND reuse.revision > staged_reuse.revision"
        )
        self._base.execute(f"DELETE FROM reuse USING staged_reuse WHERE {same}")
        self._base.execute("INSERT INTO reuse SELECT * FROM staged_reuse")

    def append_outcomes(self, outcomes: Sequence[Outcome], revisions: Sequence[int] | None = None) -> int:
        if not outcomes:
            return 0
        columns = outcome_columns(outcomes, revisions)
        with self._transaction():
            self._stage("staged_outcomes", columns, OUTCOME_COLUMNS)
            if revisions is not None:
                self._base.execute(_OUTCOMES_THAT_STAND)
            self._base.execute("DELETE FROM outcomes WHERE outcome_id IN (SELECT outcome_id FROM staged_outcomes)")
            self._base.execute(f"INSERT INTO outcomes SELECT {', '.join(OUTCOME_COLUMNS)} FROM staged_outcomes")
        return len(columns["outcome_id"])

    def append_energy(self, windows: Sequence[EnergyWindow]) -> Appended:
        if not windows:
            return Appended()
        with self._transaction():
            self._stage("staged_energy", energy_columns(longest(windows)), ENERGY_COLUMNS)
            self._base.execute(_FRESH_ENERGY)
            fresh, replaced = self._row("SELECT count(*), count(*) FILTER (is_known) FROM fresh_energy")
            self._base.execute("DELETE FROM energy_windows WHERE window_id IN (SELECT window_id FROM fresh_energy)")
            names = ", ".join(ENERGY_COLUMNS)
            self._base.execute(f"INSERT INTO energy_windows ({names}) SELECT {names} FROM fresh_energy")
            self._base.execute("DROP TABLE fresh_energy")
        return Appended(fresh - replaced, replaced, len(windows) - fresh)

    def append_audit(self, events: Sequence[AuditEvent]) -> int:
        if not events:
            return 0
        once = list({event.event_id: event for event in events}.values())
        with self._transaction():
            self._stage("staged_audit", audit_columns(once), AUDIT_COLUMNS)
            names = ", ".join(AUDIT_COLUMNS)
            new = self._base.execute(
                f"INSERT INTO audit_events ({names}) SELECT {names} FROM staged_audit"
                " WHERE event_id NOT IN (SELECT event_id FROM audit_events) RETURNING 1"
            ).fetchall()
        return len(new)

    def conversations_of(self, entry_ids: Sequence[str]) -> dict[str, str]:
        if not entry_ids:
            return {}
        found = self._base.execute(
            "SELECT entry_id, conversation FROM entries WHERE entry_id IN (SELECT unnest($ids))",
            {"ids": list(entry_ids)},
        )
        return dict(found.fetchall())

    def ask_columns(self, question: str, **parameters: Any) -> Arrays:
        cursor = self._base.execute(question_text(question), _told(bound(question, parameters)))
        return {name: plain_array(values) for name, values in cursor.fetchnumpy().items()}

    def purge(self, which: Purge) -> int:
        told = {name: getattr(which, name) for name in which.__struct_fields__} | {"before": _naive(which.before)}
        with self._transaction():
            chosen = f"SELECT entry_id FROM entries WHERE {PURGED}"
            for parts in ("segments", "edits", "reuse"):
                self._base.execute(f"DELETE FROM {parts} WHERE entry_id IN ({chosen})", told)
            gone = self._base.execute(f"DELETE FROM entries WHERE {PURGED} RETURNING 1", told).fetchall()
        self._base.execute("CHECKPOINT")
        return len(gone)

    def purge_energy(self, before: datetime) -> int:
        told = {"before": _naive(before)}
        gone = self._base.execute("DELETE FROM energy_windows WHERE started < $before RETURNING 1", told).fetchall()
        self._base.execute("CHECKPOINT")
        return len(gone)

    def close(self) -> None:
        self._base.close()

    def _migrate(self) -> None:
        self._base.execute(
            "CREATE TABLE IF NOT EXISTS schema_versions (version INTEGER NOT NULL, applied_at TIMESTAMP NOT NULL)"
        )
        (present,) = self._row("SELECT coalesce(max(version), 0) FROM schema_versions")
        newest = migrations("duckdb")
        if present > newest[-1][0]:
            raise UserError(f"{self.place} was written by a newer modicum (schema {present}); update modicum")
        for number, sql in newest:
            if number > present:
                with self._transaction():
                    for statement in statements(sql):
                        self._base.execute(statement)
                    self._base.execute("INSERT INTO schema_versions VALUES (?, ?)", [number, _naive(datetime.now(UTC))])

    def _stage(self, table: str, columns: Columns, names: Any) -> None:
        """Hands columns over as arrays, which DuckDB reads in place."""
        handed = {name: _array(name, columns[name]) for name in names}
        chosen = ", ".join(_money(name) if name in _MONEY else name for name in names)
        self._base.register("handed", handed)
        try:
            self._base.execute(f"CREATE OR REPLACE TEMP TABLE {table} AS SELECT {chosen} FROM handed")
        finally:
            self._base.unregister("handed")

    def _transaction(self) -> "_Transaction":
        return _Transaction(self._base)

    def _row(self, sql: str) -> tuple[Any, ...]:
        row = self._base.execute(sql).fetchone()
        assert row is not None  # noqa: S101 - aggregates give one row
        return tuple(row)

    def _rows(self, sql: str, parameters: Mapping[str, Any]) -> list[Row]:
        cursor = self._base.execute(sql, _told(parameters))
        names = [column[0] for column in cursor.description]
        rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
        times = [name for name in names if isinstance(_first_known(rows, name), datetime)]
        for row in rows:
            for name in times:
                if row[name] is not None:
                    row[name] = row[name].replace(tzinfo=UTC)
        return rows


def _first_known(rows: Sequence[Row], name: str) -> Any:
    return next((row[name] for row in rows if row[name] is not None), None)


def trouble_of_disk(place: str, error: Exception) -> str:
    """What to say of an error of the engine that is none of ours: its file cannot be read or written. Else empty."""
    kinds = duckdb.IOException | duckdb.FatalException | duckdb.TransactionException
    return _why_not(place, str(error)) if isinstance(error, kinds) else ""


class _Transaction:
    def __init__(self, base: duckdb.DuckDBPyConnection) -> None:
        self._base = base

    def __enter__(self) -> None:
        self._base.execute("BEGIN")

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        self._base.execute("COMMIT" if kind is None else "ROLLBACK")


_COLUMNS = ", ".join(ENTRY_COLUMNS)

# What the ledger lacks of a batch.
_FRESH = """
CREATE OR REPLACE TEMP TABLE fresh AS
SELECT staged.*, known.entry_id IS NOT NULL AS is_known
FROM staged_entries AS staged
LEFT JOIN (
    SELECT entry_id, revision FROM entries WHERE entry_id IN (SELECT entry_id FROM staged_entries)
) AS known ON known.entry_id = staged.entry_id
WHERE known.entry_id IS NULL OR staged.revision > known.revision
"""
_OUTCOMES_THAT_STAND = """
DELETE FROM staged_outcomes USING outcomes
WHERE outcomes.outcome_id = staged_outcomes.outcome_id AND outcomes.revision > staged_outcomes.revision
"""
_FRESH_ENERGY = """
CREATE OR REPLACE TEMP TABLE fresh_energy AS
SELECT staged.*, known.window_id IS NOT NULL AS is_known
FROM staged_energy AS staged
LEFT JOIN energy_windows AS known ON known.window_id = staged.window_id
WHERE known.window_id IS NULL OR staged.revision > known.revision
"""
_BOOK = f"INSERT INTO entries ({_COLUMNS}, booked_at) SELECT {_COLUMNS}, $now FROM fresh"
_BOOK_SEGMENTS = """
INSERT INTO segments
SELECT * FROM staged_segments WHERE entry_id IN (SELECT entry_id FROM fresh)
"""

_BOOK_EDITS = """
INSERT INTO edits
SELECT * FROM staged_edits WHERE entry_id IN (SELECT entry_id FROM fresh)
"""


def _money(name: str) -> str:
    """Money crosses as whole tenths of nano-dollars: exact, and read without parsing."""
    return f"CAST(CAST({name} AS DECIMAL(18, 0)) * 0.0000000001 AS DECIMAL(18, {MONEY_PLACES})) AS {name}"


def _array(name: str, values: Sequence[Any]) -> Any:
    if name in _MONEY:
        whole = [None if value is None else int(value.scaleb(MONEY_PLACES).to_integral_value()) for value in values]
        return _numbers(whole)
    if name in _TIMES:
        return np.array([None if value is None else _naive(value) for value in values], dtype="datetime64[us]")
    first = next((value for value in values if value is not None), None)
    if first is None or isinstance(first, str):
        return np.array(values, dtype=object)
    if isinstance(first, bool):
        return np.array(values, dtype=bool)
    return _numbers(values, np.float64 if isinstance(first, float) else np.int64)


def _numbers(values: Sequence[float | None], kind: type[np.int64 | np.float64] = np.int64) -> Any:
    """Numbers, where some may be absent."""
    if None not in values:
        return np.array(values, dtype=kind)
    absent = np.array([value is None for value in values])
    return np.ma.MaskedArray(np.array([value or 0 for value in values], dtype=kind), mask=absent)


def _told(parameters: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _naive(value) if isinstance(value, datetime) else value for name, value in parameters.items()}


def _naive(at: datetime) -> datetime:
    """UTC without zone, as the columns hold it."""
    return at.astimezone(UTC).replace(tzinfo=None) if at.tzinfo is not None else at


def _make(path: Path) -> None:
    """A ledger that is empty and whole: whoever is killed while a file is laid out leaves one that never opens."""
    fresh = path.with_name(f"{path.name}.new-{os.getpid()}")
    with suppress(OSError, duckdb.Error):  # opening it says why
        fresh.unlink(missing_ok=True)  # of a process with our number that was killed here
        duckdb.connect(str(fresh)).close()
        fresh.chmod(0o600)
        with suppress(OSError):  # another process was faster, or there are no links: then it is made in place
            path.hardlink_to(fresh)
        fresh.unlink()


def _why_not(path: Path | str, message: str) -> str:
    if "lock" in message.lower():
        holder = _HOLDER.search(message)
        who = f"process {holder.group(1)}" if holder else "another process"
        name = _command_of(int(holder.group(1))) if holder else ""
        return f"the ledger {path} is held by {who}{name}; wait until it ends, or stop it, and run the command again"
    if Path(path).is_file() and Path(path).stat().st_size == 0:
        return f"the ledger {path} is empty: its making was cut short; delete the file and run the command again"
    if "write" in message or "No space" in message or "too large" in message:
        return f"the ledger {path} cannot be written ({message.splitlines()[0]}): make room, and run the command again"
    if "No such file" in message or "Permission denied" in message or "Cannot open file" in message:
        return f"the ledger {path} cannot be opened: {message.splitlines()[0]}"
    return f"{path} is no ledger that can be read: {message.splitlines()[0]}"


def _command_of(process: int) -> str:
    """What runs there, where the system tells (Linux)."""
    try:
        words = Path(f"/proc/{process}/cmdline").read_bytes().decode("utf-8", "replace").split("\0")
    except OSError:
        return ""
    names = " ".join(Path(word).name for word in words[:3] if word)
    return f" ({' '.join(names.split())[:60]})" if names else ""
