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

from modicum.calls import AuditEvent, EnergyWindow, Entry, Outcome, UserError
from modicum.calls.storable import storable
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

_TYPES = {str: "String", bool: "Bool", int: "Int64", float: "Float64", datetime: "DateTime64(6, 'UTC')"}
_SETTINGS = {"join_use_nulls": 1, "prefer_column_name_to_alias": 1, "cast_keep_nullable": 1, "mutations_sync": 2}
"""As in standard SQL: an outer join gives NULL and not the type's zero, `sum(x) AS x` means the column, and a cast
keeps NULL. Deletes are waited for."""
_AGE_BITS = 64


class ClickHouseStore(Questions):
    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self.place = url.replace(f":{parts.password}@", ":***@") if parts.password else url
        try:
            import clickhouse_connect
        except ImportError:
            raise UserError("a ClickHouse ledger needs more packages: pip install 'modicum[clickhouse]'") from None
        from clickhouse_connect.driver.exceptions import Error

        self._error = Error
        try:
            self._client = clickhouse_connect.get_client(dsn=_dsn(url), settings=_SETTINGS)
        except (Error, OSError) as error:
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise UserError(f"the ledger {self.place} does not answer: {reason}") from None
        self._migrate()

    def append(self, entries: Sequence[Entry]) -> Appended:
        if not entries:
            return Appended()
        batch = newest(entries)
        known = self._revisions([entry.call.call_id for entry in batch])
        fresh = [entry for entry in batch if entry.call.revision > known.get(entry.call.call_id, -1)]
        if fresh:
            # Segments and edits first: until its entry stands in the log, they are not seen.
            revisions = {entry.call.call_id: entry.call.revision for entry in fresh}
            parts = (
                ("segments_log", segment_columns(fresh), SEGMENT_COLUMNS),
                ("edits_log", edit_columns(fresh), EDIT_COLUMNS),
            )
            for table, columns, names in parts:
                columns["revision"] = [revisions[entry_id] for entry_id in columns["entry_id"]]
                self._insert(table, columns, (*names, "revision"))
            self._insert("entries_log", self._versioned(fresh), (*ENTRY_COLUMNS, "booked_at", "version"))
        # Of calls that are known, too: a log that has grown tells more of what was made of their results.
        self._insert("reuse_log", reuse_columns(batch), REUSE_COLUMNS)
        replaced = sum(entry.call.call_id in known for entry in fresh)
        return Appended(len(fresh) - replaced, replaced, len(entries) - len(fresh))

    def append_outcomes(self, outcomes: Sequence[Outcome], revisions: Sequence[int] | None = None) -> int:
        if not outcomes:
            return 0
        columns = outcome_columns(outcomes, revisions)
        self._insert("outcomes_log", columns, OUTCOME_COLUMNS)
        return len(columns["outcome_id"])

    def append_energy(self, windows: Sequence[EnergyWindow]) -> Appended:
        if not windows:
            return Appended()
        batch = longest(windows)
        found = self._client.query(
            "SELECT window_id, max(revision) FROM energy_log WHERE window_id IN {ids:Array(String)} GROUP BY window_id",
            parameters={"ids": [window.window_id for window in batch]},
        )
        known = {str(window_id): int(revision) for window_id, revision in found.result_rows}
        fresh = [window for window in batch if window.revision > known.get(window.window_id, -1)]
        self._insert("energy_log", energy_columns(fresh), tuple(ENERGY_COLUMNS))
        replaced = sum(window.window_id in known for window in fresh)
        return Appended(len(fresh) - replaced, replaced, len(windows) - len(fresh))

    def append_audit(self, events: Sequence[AuditEvent]) -> int:
        if not events:
            return 0
        once = {event.event_id: event for event in events}
        found = self._client.query(
            "SELECT event_id FROM audit_log WHERE event_id IN {ids:Array(String)}",
            parameters={"ids": [storable(name) for name in once]},
        )
        known = {str(event_id) for (event_id,) in found.result_rows}
        fresh = [event for event_id, event in once.items() if event_id not in known]
        self._insert("audit_log", audit_columns(fresh), tuple(AUDIT_COLUMNS))
        return len(fresh)

    def conversations_of(self, entry_ids: Sequence[str]) -> dict[str, str]:
        if not entry_ids:
            return {}
        found = self._client.query(
            "SELECT entry_id, argMax(conversation, version) FROM entries_log WHERE entry_id IN {ids:Array(String)}"
            " GROUP BY entry_id",
            parameters={"ids": [storable(entry_id) for entry_id in entry_ids]},
        )
        return {str(entry_id): str(conversation) for entry_id, conversation in found.result_rows}

    def ask_columns(self, question: str, **parameters: Any) -> Arrays:
        text, typed = _typed(question_text(question), bound(question, parameters))
        found = self._client.query(text, parameters=typed)
        names, kinds = list(found.column_names), [kind.name for kind in found.column_types]
        columns: Sequence[Sequence[Any]] = found.result_columns
        if not columns:  # without rows the server names no columns
            told = self._client.query(f"DESCRIBE TABLE ({text})", parameters=typed).result_rows
            names, kinds, columns = [row[0] for row in told], [row[1] for row in told], [[] for _ in told]
        return {name: _column(values, kind) for name, values, kind in zip(names, columns, kinds, strict=True)}

    def purge(self, which: Purge) -> int:
        told = {name: getattr(which, name) for name in which.__struct_fields__}
        # By the newest revision of each call, since an older one may name another owner. Older ones go first: parts of
        # a table are rewritten one after the other, and what was left of them would come back.
        chosen = f"SELECT entry_id FROM entries WHERE {PURGED}"
        gone = self._rows(f"SELECT count() AS gone FROM entries WHERE {PURGED}", told)[0]["gone"]
        newest = "SELECT entry_id, version FROM entries_log FINAL"
        for delete in (
            f"ALTER TABLE segments_log DELETE WHERE entry_id IN ({chosen})",
            f"ALTER TABLE edits_log DELETE WHERE entry_id IN ({chosen})",
            f"ALTER TABLE reuse_log DELETE WHERE entry_id IN ({chosen})",
            f"ALTER TABLE entries_log DELETE WHERE entry_id IN ({chosen}) AND (entry_id, version) NOT IN ({newest})",
            f"ALTER TABLE entries_log DELETE WHERE {PURGED}",
        ):
            sql, typed = _typed(delete, told)
            self._client.command(sql, parameters=typed)
        return int(gone)

    def purge_energy(self, before: datetime) -> int:
        told = {"before": before}
        gone = self._rows("SELECT count(DISTINCT window_id) AS gone FROM energy_log WHERE started < $before", told)
        sql, typed = _typed("ALTER TABLE energy_log DELETE WHERE started < $before", told)
        self._client.command(sql, parameters=typed)
        return int(gone[0]["gone"])

    def close(self) -> None:
        self._client.close()

    def _revisions(self, entry_ids: list[str]) -> dict[str, int]:
        found = self._client.query(
            "SELECT entry_id, max(revision) FROM entries_log WHERE entry_id IN {ids:Array(String)} GROUP BY entry_id",
            parameters={"ids": [storable(entry_id) for entry_id in entry_ids]},
        )
        return {str(entry_id): int(revision) for entry_id, revision in found.result_rows}

    def _versioned(self, fresh: Sequence[Entry]) -> Columns:
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
        newest_schema = migrations("clickhouse")
        if present > newest_schema[-1][0]:
            raise UserError(f"{self.place} was written by a newer modicum (schema {present}); update modicum")
        for number, sql in newest_schema:
            if number > present:
                for statement in statements(sql):
                    self._client.command(_unless_there(statement))
                self._client.insert(
                    "schema_versions", [[number, datetime.now(UTC)]], column_names=["version", "applied_at"]
                )

    def _rows(self, sql: str, parameters: Mapping[str, Any]) -> list[Row]:
        text, typed = _typed(sql, parameters)
        found = self._client.query(text, parameters=typed)
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


def _typed(sql: str, parameters: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """`$name` as ClickHouse writes it, with the type of its value: `{name:String}`."""
    code = "\n".join(line.partition("--")[0] for line in sql.splitlines())
    return re.sub(r"\$([a-z_]+)", lambda m: f"{{{m[1]}:{_TYPES[type(parameters[m[1]])]}}}", code), dict(parameters)


def _unless_there(statement: str) -> str:
    """A migration that was broken off can be run again: functions and tables outlive a failed statement here."""
    return re.sub(r"^CREATE (TABLE|VIEW|FUNCTION) ", r"CREATE \1 IF NOT EXISTS ", statement)


def _dsn(url: str) -> str:
    return re.sub(r"^clickhouse(s?)://", r"clickhouse\1://", url)
