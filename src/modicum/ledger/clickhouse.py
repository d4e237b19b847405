"""The ledger on ClickHouse: many machines, through `clickhouse-connect` (extra `clickhouse`).

Rows are only ever appended. A view takes the last revision of each entry; batches carry a token, so that a repeated
insert is dropped by the server.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from time import time_ns
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import numpy.typing as npt

from modicum.calls import Entry, UserError
from modicum.calls.extras import load_extra
from modicum.calls.outside.storable import storable
from modicum.ledger.asking.figure_rows import FIGURES, can_be_summed, figure_rows
from modicum.ledger.asking.question_files import prepare, without_comments
from modicum.ledger.booking import newest
from modicum.ledger.columns import (
    EDIT_KINDS,
    ENTRY_KINDS,
    REUSE_KINDS,
    SEGMENT_KINDS,
    edit_columns,
    entry_columns,
    reuse_columns,
    segment_columns,
)
from modicum.ledger.record_table import REVISION, N, RecordTable, Repeats
from modicum.ledger.records import RECORDS, SHORTENINGS
from modicum.ledger.rollups.clickhouse_rollups import TABLE, ClickHouseRollups
from modicum.ledger.rollups.day_spans import slot_of
from modicum.ledger.rows import Arrays, Columns, Row
from modicum.ledger.sql_store import FORMER_DIGEST, PURGED, SqlStore, mark_former, plain_array
from modicum.ledger.store import DAYS_OPEN_FOR, Appended, Purge
from modicum.ledger.tables import clickhouse_changes, newest_schema, statements

_TYPES = {str: "String", bool: "Bool", int: "Int64", float: "Float64", datetime: "DateTime64(6, 'UTC')"}
_SETTINGS = {"join_use_nulls": 1, "prefer_column_name_to_alias": 1, "cast_keep_nullable": 1, "mutations_sync": 2}
"""As in standard SQL: an outer join gives NULL and not the type's zero, `sum(x) AS x` means the column, and a cast
keeps NULL. Deletes are waited for."""
_AGE_BITS = 64
_NOTHING = -1, datetime(1970, 1, 1, tzinfo=UTC), datetime(1970, 1, 1, tzinfo=UTC)
"""Of an entry that is not booked."""
_IDS_A_QUERY = 2_000
"""Ids travel in the address of a query, and servers refuse addresses above a megabyte."""


class ClickHouseStore(SqlStore):
    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self.place = url.replace(f":{parts.password}@", ":***@") if parts.password else url
        clickhouse_connect = load_extra("clickhouse", "a ledger on ClickHouse", "clickhouse_connect")
        Error = load_extra("clickhouse", "a ledger on ClickHouse", "clickhouse_connect.driver.exceptions").Error  # noqa: N806 - a class
        try:
            self._client = clickhouse_connect.get_client(dsn=_dsn(url), settings=_SETTINGS)
        except (Error, OSError) as error:
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise UserError(f"the ledger {self.place} does not answer: {reason}") from None
        self._migrate()
        self._rollups = ClickHouseRollups(self._rows, self._command)

    def append(self, entries: Sequence[Entry]) -> Appended:
        if not entries:
            return Appended()
        batch = newest(entries)
        known = self._booked([entry.call.call_id for entry in batch])
        fresh = [entry for entry in batch if entry.call.revision > known.get(entry.call.call_id, _NOTHING)[0]]
        self._rollups.touch_again((slot_of(began), booked_at) for _, began, booked_at in known.values())
        if fresh:
            # Segments and edits first: until its entry stands in the log, they are not seen.
            revisions = {entry.call.call_id: entry.call.revision for entry in fresh}
            parts = (
                ("segments_log", segment_columns(fresh), SEGMENT_KINDS),
                ("edits_log", edit_columns(fresh), EDIT_KINDS),
            )
            for table, columns, names in parts:
                columns["revision"] = [revisions[entry_id] for entry_id in columns["entry_id"]]
                self._insert(table, columns, (*names, "revision"))
            slots = {slot_of(entry.call.started) for entry in fresh}
            slots |= {slot_of(known[entry_id][1]) for entry_id in revisions if entry_id in known}
            self._rollups.touch(slots)
            columns = self._with_versions(fresh)
            self._leave_former_days(columns, known)
            self._insert("entries_log", columns, (*ENTRY_KINDS, "booked_at", "version"))
            self._rollups.touch(slots)
        # Of calls that are known, too: a log that has grown tells more of what was made of their results.
        self._insert("reuse_log", reuse_columns(batch), tuple(REUSE_KINDS))
        replaced = sum(entry.call.call_id in known for entry in fresh)
        return Appended(len(fresh) - replaced, replaced, len(entries) - len(fresh))

    def append_records(
        self, table: RecordTable[N], records: Sequence[N], sent_ns: Sequence[int] | None = None
    ) -> Appended:
        if not records:
            return Appended()
        columns = table.fill(records, sent_ns)
        identities = columns[table.identity]
        known = self._latest_revisions(table, identities)
        revisions = columns.get(REVISION, [0] * len(identities))
        last_stands = table.repeats is Repeats.LAST_SENT_STANDS and sent_ns is None
        fresh = [
            place
            for place, (identity, revision) in enumerate(zip(identities, revisions, strict=True))
            if last_stands or identity not in known or revision > known[identity]
        ]
        self._insert(
            table.log, {name: [values[place] for place in fresh] for name, values in columns.items()}, tuple(columns)
        )
        replaced = sum(identities[place] in known for place in fresh)
        return Appended(len(fresh) - replaced, replaced, len(records) - len(fresh))

    def _latest_revisions(self, table: RecordTable[Any], identities: Sequence[str]) -> dict[str, int]:
        """Of these identities those that the ledger has, with the greatest revision of each (0: they have none)."""
        revision = f"max({REVISION})" if table.is_revised else "0"
        known: dict[str, int] = {}
        for first in range(0, len(identities), _IDS_A_QUERY):
            found = self._client.query(
                f"SELECT {table.identity}, {revision} FROM {table.log}"
                f" WHERE {table.identity} IN {{ids:Array(String)}} GROUP BY {table.identity}",
                parameters={"ids": identities[first : first + _IDS_A_QUERY]},
            )
            known |= {str(identity): int(latest) for identity, latest in found.result_rows}
        return known

    def conversations_of(self, entry_ids: Sequence[str]) -> dict[str, str]:
        if not entry_ids:
            return {}
        found = self._client.query(
            "SELECT entry_id, argMax(conversation, version) FROM entries_log WHERE entry_id IN {ids:Array(String)}"
            " GROUP BY entry_id",
            parameters={"ids": [storable(entry_id) for entry_id in entry_ids]},
        )
        conversations = {str(entry_id): str(conversation) for entry_id, conversation in found.result_rows}
        if not conversations:
            return {}
        former = self._client.query(
            "SELECT DISTINCT entry_id FROM segments WHERE entry_id IN {ids:Array(String)} AND " + FORMER_DIGEST,
            parameters={"ids": list(conversations)},
        )
        return mark_former(conversations, (str(entry_id) for (entry_id,) in former.result_rows))

    def ask_columns(self, question: str, **parameters: Any) -> Arrays:
        text, typed = _with_types(*prepare(question, parameters, self._figure_rows))
        found = self._client.query(text, parameters=typed)
        names, kinds = list(found.column_names), [kind.name for kind in found.column_types]
        columns: Sequence[Sequence[Any]] = found.result_columns
        if not columns:  # without rows the server names no columns
            described = self._client.query(f"DESCRIBE TABLE ({text})", parameters=typed).result_rows
            names, kinds = [row[0] for row in described], [row[1] for row in described]
            columns = [[] for _ in described]
        return {name: _column(values, kind) for name, values, kind in zip(names, columns, kinds, strict=True)}

    def purge(self, which: Purge) -> int:
        parameters = {name: getattr(which, name) for name in which.__struct_fields__}
        # By the newest revision of each call, since an older one may name another owner. Older ones go first: parts of
        # a table are rewritten one after the other, and what was left of them would come back.
        chosen = f"SELECT entry_id FROM entries WHERE {PURGED}"
        gone = self._rows(f"SELECT count() AS gone FROM entries WHERE {PURGED}", parameters)[0]["gone"]
        slots = self._rollups.slots(PURGED, parameters)
        self._rollups.touch(slots)
        newest = "SELECT entry_id, version FROM entries_log FINAL"
        for delete in (
            f"ALTER TABLE segments_log DELETE WHERE entry_id IN ({chosen})",
            f"ALTER TABLE edits_log DELETE WHERE entry_id IN ({chosen})",
            f"ALTER TABLE reuse_log DELETE WHERE entry_id IN ({chosen})",
            f"ALTER TABLE {SHORTENINGS.log} DELETE WHERE entry_id IN ({chosen})",
            f"ALTER TABLE entries_by_time_log DELETE WHERE entry_id IN ({chosen})",
            f"ALTER TABLE entries_log DELETE WHERE entry_id IN ({chosen}) AND (entry_id, version) NOT IN ({newest})",
            f"ALTER TABLE entries_log DELETE WHERE {PURGED}",
        ):
            self._command(delete, parameters)
        self._rollups.touch(slots)
        return int(gone)

    def sum_days(self, zone: str, ended_before: datetime, most: int) -> int:
        if self._rollups.zone() != zone:
            self._rollups.begin(zone)
        days = self._rollups.due_days(zone, min(ended_before, datetime.now(UTC) - DAYS_OPEN_FOR), most)
        for day in days:
            self._rollups.sum_day(zone, day)
        return len(days)

    def purge_records(self, before: datetime) -> dict[str, int]:
        return {table.name: self._purge_table(table, before) for table in RECORDS.values() if table.purged_by_age}

    def _purge_table(self, table: RecordTable[Any], before: datetime) -> int:
        parameters = {"before": before}
        old = f"{table.time} < $before"
        gone = self._rows(f"SELECT count() AS gone FROM {table.name} WHERE {old}", parameters)[0]["gone"]
        if table.is_revised:  # as in `purge`: an older revision may be of another time
            chosen = f"SELECT {table.identity} FROM {table.name} WHERE {old}"
            newest = f"SELECT {table.identity}, {REVISION} FROM {table.name}"
            self._command(
                f"ALTER TABLE {table.log} DELETE WHERE {table.identity} IN ({chosen})"
                f" AND ({table.identity}, {REVISION}) NOT IN ({newest})",
                parameters,
            )
        self._command(f"ALTER TABLE {table.log} DELETE WHERE {old}", parameters)
        return int(gone)

    def close(self) -> None:
        self._client.close()

    def _booked(self, entry_ids: list[str]) -> dict[str, tuple[int, datetime, datetime]]:
        """Of these entries those that are booked: the last revision of each, when that began and when it was booked."""
        rows = self._rows_of_ids(
            "SELECT entry_id, max(revision) AS latest, argMax(started, version) AS began,"
            " argMax(booked_at, version) AS booked FROM entries_log"
            " WHERE entry_id IN {ids:Array(String)} GROUP BY entry_id",
            [storable(entry_id) for entry_id in entry_ids],
        )
        return {str(row["entry_id"]): (int(row["latest"]), row["began"], row["booked"]) for row in rows}

    def _leave_former_days(self, columns: Columns, known: Mapping[str, tuple[int, datetime, datetime]]) -> None:
        """Where an entry is of another day now, says so at its former one: rows are in order of days."""
        moved: dict[str, list[Any]] = {"entry_id": [], "started": [], "version": [], "is_moved": []}
        for entry_id, started, version in zip(columns["entry_id"], columns["started"], columns["version"], strict=True):
            former = known.get(entry_id, _NOTHING)[1]
            if entry_id in known and former.date() != started.astimezone(UTC).date():
                for name, value in zip(moved, (entry_id, former, version, True), strict=True):
                    moved[name].append(value)
        self._insert("entries_by_time_log", moved, tuple(moved))

    def _with_versions(self, fresh: Sequence[Entry]) -> Columns:
        columns = entry_columns(fresh)
        now = datetime.now(UTC)
        age = (1 << _AGE_BITS) - 1 - time_ns()
        columns["booked_at"] = [now] * len(fresh)
        columns["version"] = [(revision << _AGE_BITS) + age for revision in columns["revision"]]
        return columns

    def _insert(self, table: str, columns: Columns, names: Sequence[str]) -> None:
        if not columns[names[0]]:
            return
        token = hashlib.blake2b(repr([table, columns[names[0]], columns.get("revision")]).encode(), digest_size=16)
        self._client.insert(
            table,
            [columns[name] for name in names],
            column_names=list(names),
            column_oriented=True,
            settings={"insert_deduplication_token": token.hexdigest()},
        )

    def _migrate(self) -> None:
        self._client.command(
            "CREATE TABLE IF NOT EXISTS schema_versions (version Int64, applied_at DateTime64(6, 'UTC'))"
            " ENGINE = MergeTree ORDER BY version"
        )
        present = self._rows("SELECT max(version) AS version FROM schema_versions", {})[0]["version"] or 0
        for number, sql in newest_schema(self.place, "clickhouse", present):
            for statement in statements(sql):
                self._client.command(_unless_there(statement))
            self._client.insert(
                "schema_versions", [[number, datetime.now(UTC)]], column_names=["version", "applied_at"]
            )
        found: dict[str, set[str]] = {}
        for row in self._rows("SELECT table, name FROM system.columns WHERE database = currentDatabase()", {}):
            found.setdefault(row["table"], set()).add(row["name"])
        for statement in clickhouse_changes(RECORDS.values(), found):
            self._client.command(statement)

    def _figure_rows(self, text: str, parameters: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
        zone = self._rollups.zone() if FIGURES in text else ""
        if not can_be_summed(text, parameters, zone):
            return figure_rows(text, parameters, TABLE)
        spans = self._rollups.spans(parameters["since"], parameters["until"], zone)
        return figure_rows(text, parameters, TABLE, spans, zone)

    def _command(self, sql: str, parameters: Mapping[str, Any]) -> None:
        text, typed = _with_types(sql, parameters)
        self._client.command(text, parameters=typed)

    def _rows_of_ids(self, sql: str, ids: Sequence[str]) -> list[Row]:
        return _as_rows(self._client.query(sql, parameters={"ids": list(ids)}))

    def _rows(self, sql: str, parameters: Mapping[str, Any]) -> list[Row]:
        text, typed = _with_types(sql, parameters)
        return _as_rows(self._client.query(text, parameters=typed))


def _as_rows(found: Any) -> list[Row]:
    rows = [dict(zip(found.column_names, row, strict=True)) for row in found.result_rows]
    for row in rows:
        for name, value in row.items():
            if isinstance(value, datetime):
                row[name] = value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    return rows


def _column(values: Sequence[Any], kind: str) -> npt.NDArray[Any]:
    if "Float" in kind:
        return np.array([np.nan if value is None else value for value in values], dtype=np.float64)
    if "Int" in kind:
        return plain_array(np.array(values, dtype=np.int64))
    return plain_array(np.array(values, dtype=object))


def _with_types(sql: str, parameters: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """`$name` as ClickHouse writes it, with the type of its value: `{name:String}`."""
    code = re.sub(r"\$([a-z_]+)", lambda m: f"{{{m[1]}:{_TYPES[type(parameters[m[1]])]}}}", without_comments(sql))
    return code, {name: _exact_time(value) for name, value in parameters.items()}


def _exact_time(value: Any) -> Any:
    """Times as text: the driver would cut them to seconds."""
    if not isinstance(value, datetime):
        return value
    at = value.astimezone(UTC) if value.tzinfo is not None else value
    return f"{at:%Y-%m-%d %H:%M:%S.%f}"


def _unless_there(statement: str) -> str:
    """A migration that was broken off can be run again: functions and tables outlive a failed statement here."""
    return re.sub(r"^CREATE (TABLE|VIEW|FUNCTION) ", r"CREATE \1 IF NOT EXISTS ", statement)


def _dsn(url: str) -> str:
    return re.sub(r"^clickhouse(s?)://", r"clickhouse\1://", url)
