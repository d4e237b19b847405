"""The ledger in a DuckDB file: one machine, one process at a time.

There is no index: a batch is joined with what is there, which on ten million entries is faster than a primary key and
leaves the file a seventh of the size.
"""

import os
import re
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import numpy as np

from modicum.calls import Entry, UserError
from modicum.ledger.asking.figure_rows import can_be_summed, figure_rows
from modicum.ledger.asking.question_files import prepare
from modicum.ledger.booking import newest
from modicum.ledger.columns import (
    EDIT_KINDS,
    ENTRY_KINDS,
    REUSE_KINDS,
    SEGMENT_KINDS,
    Kinds,
    edit_columns,
    entry_columns,
    reuse_columns,
    segment_columns,
)
from modicum.ledger.record_table import REVISION, ColumnKind, N, RecordTable, Repeats
from modicum.ledger.records import RECORDS, SHORTENINGS
from modicum.ledger.rollups.day_spans import slot_of
from modicum.ledger.rollups.embedded_rollups import EmbeddedRollups
from modicum.ledger.rows import Arrays, Columns, Row, storable_columns
from modicum.ledger.sql_store import FORMER_DIGEST, PURGED, SqlStore, mark_former, plain_array
from modicum.ledger.store import DAYS_OPEN_FOR, Appended, Purge
from modicum.ledger.tables import duckdb_changes, newest_schema, statements

MONEY_PLACES = 10
_HOLDER = re.compile(r"PID (\d+)")


class DuckDBStore(SqlStore):
    def __init__(self, path: Path | str, *, read_only: bool = False) -> None:
        self.place = str(path)
        if isinstance(path, Path):
            read_only = read_only and path.exists()
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            if not path.exists():
                _make(path)
        try:
            self._base = _connect(path, read_only=read_only)
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
        self._rollups = EmbeddedRollups(self._base, is_there=self._has_table("touched_slots"))

    def attach_part(self) -> tuple["DuckDBStore", str]:
        """An empty ledger in memory that can read this one, and the name by which its SQL calls this one."""
        base = self._base.cursor()
        (own,) = self._row("SELECT current_database()")
        name = f"part_{secrets.token_hex(4)}"
        base.execute(f"ATTACH ':memory:' AS {name}")
        base.execute(f"USE {name}")
        part = DuckDBStore.__new__(DuckDBStore)
        part.place, part._base = self.place, base  # noqa: SLF001 - of this class
        part._migrate()  # noqa: SLF001
        part._rollups = EmbeddedRollups(base, is_there=True)  # noqa: SLF001
        return part, f'"{own}".main'

    def execute(self, sql: str, parameters: Mapping[str, Any]) -> None:
        """Runs a statement that answers nothing."""
        self._base.execute(sql, dict(parameters))

    def append(self, entries: Sequence[Entry]) -> Appended:
        if not entries:
            return Appended()
        now = datetime.now(UTC).replace(tzinfo=None)
        batch = newest(entries)
        with self._booking():
            fresh, replaced = self._lacking(batch)
            slots = {slot_of(entry.call.started) for entry in fresh} if self._rollups.zone else set()
            if replaced:
                with self._handed({"entry_id": replaced}, _ID_KIND):
                    slots.update(self._rollups.slots("entry_id IN (SELECT entry_id FROM handed)"))
                    for table in ("entries", "segments", "edits"):
                        self._base.execute(f"DELETE FROM {table} WHERE entry_id IN (SELECT entry_id FROM handed)")
            if fresh:
                with self._handed(entry_columns(fresh), ENTRY_KINDS) as chosen:
                    self._base.execute(
                        f"INSERT INTO entries ({_COLUMNS}, booked_at) SELECT {chosen}, $now FROM handed", {"now": now}
                    )
                self._append_parts("segments", segment_columns(fresh), SEGMENT_KINDS)
                self._append_parts("edits", edit_columns(fresh), EDIT_KINDS)
            self._append_reuse(reuse_columns(batch))
            self._rollups.touch(slots)
        return Appended(len(fresh) - len(replaced), len(replaced), len(entries) - len(fresh))

    def _lacking(self, batch: list[Entry]) -> tuple[list[Entry], list[str]]:
        """Those that the ledger lacks, and the ids of those of which it has an older one."""
        ids = storable_columns({"entry_id": [entry.call.call_id for entry in batch]})
        with self._handed(ids, _ID_KIND):
            known = dict(self._base.execute(_KNOWN).fetchall())
        if not known:
            return batch, []
        fresh, replaced = [], []
        for entry_id, entry in zip(ids["entry_id"], batch, strict=True):
            revision = known.get(entry_id)
            if revision is None or revision < entry.call.revision:
                fresh.append(entry)
                if revision is not None:
                    replaced.append(entry_id)
        return fresh, replaced

    def _append_parts(self, table: str, columns: Columns, kinds: Kinds) -> None:
        if columns["entry_id"]:
            with self._handed(columns, kinds) as chosen:
                self._base.execute(f"INSERT INTO {table} SELECT {chosen} FROM handed")

    def _append_reuse(self, columns: Columns) -> None:
        """Of calls that are known, too: a log that has grown tells more of what was made of their results."""
        if not columns["entry_id"]:
            return
        self._stage("staged_reuse", columns, REUSE_KINDS)
        same = "reuse.entry_id = staged_reuse.entry_id AND reuse.digest = staged_reuse.digest"
        self._base.execute(
            f"DELETE FROM staged_reuse USING reuse WHERE {same} AND reuse.revision > staged_reuse.revision"
        )
        self._base.execute(f"DELETE FROM reuse USING staged_reuse WHERE {same}")
        self._base.execute("INSERT INTO reuse SELECT * FROM staged_reuse")

    def append_records(
        self, table: RecordTable[N], records: Sequence[N], sent_ns: Sequence[int] | None = None
    ) -> Appended:
        if not records:
            return Appended()
        name, identity, names = table.name, table.identity, ", ".join(table.kinds)
        with self._transaction():
            self._stage("staged_records", table.fill(records, sent_ns), table.kinds)
            self._base.execute(_fresh_records(table, is_sent_now=sent_ns is None))
            fresh, replaced = self._row("SELECT count(*), count(*) FILTER (is_known) FROM fresh_records")
            if replaced:
                self._base.execute(f"DELETE FROM {name} WHERE {identity} IN (SELECT {identity} FROM fresh_records)")
            self._base.execute(f"INSERT INTO {name} ({names}) SELECT {names} FROM fresh_records")
            self._base.execute("DROP TABLE fresh_records")
        return Appended(fresh - replaced, replaced, len(records) - fresh)

    def conversations_of(self, entry_ids: Sequence[str]) -> dict[str, str]:
        if not entry_ids:
            return {}
        found = self._base.execute(
            "SELECT entry_id, conversation FROM entries WHERE entry_id IN (SELECT unnest($ids))",
            {"ids": list(entry_ids)},
        ).fetchall()
        if not found:
            return {}
        former = self._base.execute(
            "SELECT DISTINCT entry_id FROM segments WHERE entry_id IN (SELECT unnest($ids)) AND " + FORMER_DIGEST,
            {"ids": [entry_id for entry_id, _ in found]},
        ).fetchall()
        return mark_former(dict(found), (entry_id for (entry_id,) in former))

    def ask_columns(self, question: str, **parameters: Any) -> Arrays:
        text, values = prepare(question, parameters, self._figure_rows)
        cursor = self._base.execute(text, _naive_times(values))
        return {name: plain_array(values) for name, values in cursor.fetchnumpy().items()}

    def purge(self, which: Purge) -> int:
        parameters = {name: getattr(which, name) for name in which.__struct_fields__} | {"before": _naive(which.before)}
        with self._booking():
            self._rollups.touch(self._rollups.slots(PURGED, parameters))
            chosen = f"SELECT entry_id FROM entries WHERE {PURGED}"
            for parts in ("segments", "edits", "reuse", SHORTENINGS.name):
                self._base.execute(f"DELETE FROM {parts} WHERE entry_id IN ({chosen})", parameters)
            gone = self._base.execute(f"DELETE FROM entries WHERE {PURGED} RETURNING 1", parameters).fetchall()
        self._base.execute("CHECKPOINT")
        return len(gone)

    def sum_days(self, zone: str, ended_before: datetime, most: int) -> int:
        if self._rollups.zone != zone:
            with self._booking():
                self._rollups.begin(zone)
        days = self._rollups.due_days(min(ended_before, datetime.now(UTC) - DAYS_OPEN_FOR), most)
        for day in days:
            try:
                with self._booking():
                    self._rollups.sum_day(day)
            except duckdb.ConversionException:  # sums beyond 2^63: no reason to leave out the days before
                self._rollups.leave_out(day)
        return len(days)

    def purge_records(self, before: datetime) -> dict[str, int]:
        gone = {}
        with self._transaction():
            for table in RECORDS.values():
                if table.purged_by_age:
                    deleted = self._base.execute(
                        f"DELETE FROM {table.name} WHERE {table.time} < $before RETURNING 1", {"before": _naive(before)}
                    )
                    gone[table.name] = len(deleted.fetchall())
        self._base.execute("CHECKPOINT")
        return gone

    def close(self) -> None:
        self._base.close()

    def _migrate(self) -> None:
        self._base.execute(
            "CREATE TABLE IF NOT EXISTS schema_versions (version INTEGER NOT NULL, applied_at TIMESTAMP NOT NULL)"
        )
        (present,) = self._row("SELECT coalesce(max(version), 0) FROM schema_versions")
        for number, sql in newest_schema(self.place, "duckdb", present):
            with self._transaction():
                for statement in statements(sql):
                    self._base.execute(statement)
                self._base.execute("INSERT INTO schema_versions VALUES (?, ?)", [number, _naive(datetime.now(UTC))])
        found: dict[str, set[str]] = {}
        for table, column in self._base.execute(
            "SELECT table_name, column_name FROM duckdb_columns()"
            " WHERE NOT internal AND database_name = current_database()"
        ).fetchall():
            found.setdefault(table, set()).add(column)
        for statement in duckdb_changes(RECORDS.values(), found):
            self._base.execute(statement)

    def _stage(self, table: str, columns: Columns, kinds: Kinds) -> None:
        with self._handed(columns, kinds) as chosen:
            self._base.execute(f"CREATE OR REPLACE TEMP TABLE {table} AS SELECT {chosen} FROM handed")

    @contextmanager
    def _handed(self, columns: Columns, kinds: Kinds) -> Iterator[str]:
        """Hands columns over as arrays, which DuckDB reads in place, under the name `handed`; says how to select them
        as the ledger has them.
        """
        handed = {name: _array(kind, columns[name]) for name, kind in kinds.items()}
        self._base.register("handed", handed)
        try:
            yield ", ".join(_money(name) if kind is ColumnKind.MONEY else name for name, kind in kinds.items())
        finally:
            self._base.unregister("handed")

    def _figure_rows(self, text: str, parameters: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
        zone = self._rollups.zone
        if not can_be_summed(text, parameters, zone):
            return figure_rows(text, parameters)
        spans = self._rollups.spans(parameters["since"], parameters["until"])
        return figure_rows(text, parameters, spans=spans, zone=zone)

    def _has_table(self, name: str) -> bool:
        found = self._base.execute(
            "SELECT 1 FROM duckdb_tables() WHERE table_name = $name AND database_name = current_database()",
            {"name": name},
        )
        return found.fetchone() is not None

    def _transaction(self) -> "_Transaction":
        return _Transaction(self._base)

    @contextmanager
    def _booking(self) -> Iterator[None]:
        """A transaction that puts down which days it touches."""
        is_booked = False
        try:
            with self._transaction():
                yield
            is_booked = True
        finally:
            if not is_booked:
                with suppress(duckdb.Error):  # what comes next says what is the matter with the ledger
                    self._rollups.load()

    def _row(self, sql: str) -> tuple[Any, ...]:
        row = self._base.execute(sql).fetchone()
        assert row is not None  # noqa: S101 - aggregates give one row
        return tuple(row)

    def _rows(self, sql: str, parameters: Mapping[str, Any]) -> list[Row]:
        cursor = self._base.execute(sql, _naive_times(parameters))
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


_COLUMNS = ", ".join(ENTRY_KINDS)

_ID_KIND: Kinds = {"entry_id": ENTRY_KINDS["entry_id"]}
_KNOWN = "SELECT entry_id, revision FROM entries WHERE entry_id IN (SELECT entry_id FROM handed)"


def _money(name: str) -> str:
    """Money crosses as whole tenths of nano-dollars: exact, and read without parsing."""
    return f"CAST(CAST({name} AS DECIMAL(18, 0)) * 0.0000000001 AS DECIMAL(18, {MONEY_PLACES})) AS {name}"


def _fresh_records(table: RecordTable[Any], *, is_sent_now: bool) -> str:
    """What the ledger lacks of staged records, and whether it has an older one of the same identity."""
    identity = table.identity
    fresh = f"known.{identity} IS NULL"
    if table.repeats is Repeats.LAST_SENT_STANDS and is_sent_now:
        fresh = "TRUE"
    elif table.is_revised:
        fresh += f" OR staged.{REVISION} > known.{REVISION}"
    return f"""
CREATE OR REPLACE TEMP TABLE fresh_records AS
SELECT staged.*, known.{identity} IS NOT NULL AS is_known
FROM staged_records AS staged
LEFT JOIN (
    SELECT * FROM {table.name} WHERE {identity} IN (SELECT {identity} FROM staged_records)
) AS known ON known.{identity} = staged.{identity}
WHERE {fresh}
"""


def _array(kind: ColumnKind, values: Sequence[Any]) -> Any:
    match kind:
        case ColumnKind.MONEY:
            return _numbers(
                [
                    int(value.scaleb(MONEY_PLACES).to_integral_value()) if value else None if value is None else 0
                    for value in values  # most are 0
                ],
                np.int64,
            )
        case ColumnKind.TIME:
            return np.array([None if value is None else _naive(value) for value in values], dtype="datetime64[us]")
        case ColumnKind.WHOLE:
            return _numbers(values, np.int64)
        case ColumnKind.NUMBER:
            return _numbers(values, np.float64)
        case ColumnKind.FLAG:
            return _numbers(values, np.bool_)
        case ColumnKind.TEXT | ColumnKind.NAME:
            return np.array(values, dtype=object)


def _numbers(values: Sequence[float | None], kind: type[np.int64 | np.float64 | np.bool_]) -> Any:
    """Numbers, where some may be absent."""
    if None not in values:
        return np.array(values, dtype=kind)
    absent = np.array([value is None for value in values])
    return np.ma.MaskedArray(np.array([value or 0 for value in values], dtype=kind), mask=absent)


def _naive_times(parameters: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _naive(value) if isinstance(value, datetime) else value for name, value in parameters.items()}


def _naive(at: datetime) -> datetime:
    """UTC without zone, as the columns hold it."""
    return at.astimezone(UTC).replace(tzinfo=None) if at.tzinfo is not None else at


def _connect(path: Path | str, *, read_only: bool) -> duckdb.DuckDBPyConnection:
    return duckdb.connect(str(path), read_only=read_only)


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
