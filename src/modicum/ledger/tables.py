"""The tables of a ledger: numbered schema files, and SQL that follows from the rows in `records.py`.

Tables that the numbered files made are never described twice in SQL: a test holds them equal to what their rows say. A
noun or column that joined later has no file; a ledger gets it when it is opened.
"""

from collections.abc import Iterable, Iterator, Mapping
from importlib.resources import files
from typing import Any

from modicum.calls import UserError
from modicum.ledger.asking.question_files import without_comments
from modicum.ledger.record_table import REVISION, Column, ColumnKind, RecordTable

DUCKDB_TYPES = {
    ColumnKind.TEXT: "VARCHAR",
    ColumnKind.NAME: "VARCHAR",
    ColumnKind.WHOLE: "BIGINT",
    ColumnKind.NUMBER: "DOUBLE",
    ColumnKind.FLAG: "BOOLEAN",
    ColumnKind.TIME: "TIMESTAMP",
    ColumnKind.MONEY: "DECIMAL(18, 10)",
}
CLICKHOUSE_TYPES = {
    ColumnKind.TEXT: "String",
    ColumnKind.NAME: "LowCardinality(String)",
    ColumnKind.WHOLE: "Int64",
    ColumnKind.NUMBER: "Float64",
    ColumnKind.FLAG: "Bool",
    ColumnKind.TIME: "DateTime64(6, 'UTC')",
    ColumnKind.MONEY: "Decimal(18, 10)",
}

Present = Mapping[str, set[str]]
"""Tables and views that a ledger has, each with the names of its columns."""


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
    yield from (part.strip() for part in without_comments(sql).split(";") if part.strip())


def newest_schema(place: str, engine: str, present: int) -> list[tuple[int, str]]:
    """The schema files that a ledger of schema `present` lacks.

    Raises:
        UserError: a newer version of this program wrote it.
    """
    numbered = migrations(engine)
    if present > numbered[-1][0]:
        raise UserError(f"{place} was written by a newer modicum (schema {present}); update modicum")
    return [(number, sql) for number, sql in numbered if number > present]


def duckdb_changes(tables: Iterable[RecordTable[Any]], present: Present) -> Iterator[str]:
    """What makes the tables that a ledger lacks, and the columns that its tables lack."""
    for table in tables:
        if table.name not in present:
            columns = ", ".join(_duckdb_column(column) for column in table.columns)
            yield f"CREATE TABLE {table.name} ({columns})"
            continue
        for column in _lacking(table, present[table.name]):
            yield f"ALTER TABLE {table.name} ADD COLUMN {_duckdb_column(column)}"


def clickhouse_changes(tables: Iterable[RecordTable[Any]], present: Present) -> Iterator[str]:
    """The same on ClickHouse. Rows are appended and never changed; the view shows those that stand. What was broken off
    can be run again, also by two processes at once.
    """
    for table in tables:
        view = f"CREATE VIEW IF NOT EXISTS {table.name} AS SELECT * FROM {table.log} FINAL"
        if table.log not in present:
            columns = ", ".join(_clickhouse_column(column) for column in table.columns)
            engine = f"ReplacingMergeTree({REVISION})" if table.is_revised else "ReplacingMergeTree"
            yield f"CREATE TABLE IF NOT EXISTS {table.log} ({columns}) ENGINE = {engine} ORDER BY {table.identity}"
            yield view
            continue
        for column in _lacking(table, present[table.log]):
            yield f"ALTER TABLE {table.log} ADD COLUMN IF NOT EXISTS {_clickhouse_column(column)}"
        if not set(table.kinds) <= present.get(table.name, set()):  # a view keeps the columns that it was made with
            yield f"DROP VIEW IF EXISTS {table.name}"
            yield view


def _lacking(table: RecordTable[Any], names: set[str]) -> list[Column[Any]]:
    found = [column for column in table.columns if column.name not in names]
    for column in found:
        if column.default is None and not column.nullable:
            raise ValueError(f"the column {table.name}.{column.name} joined later: it needs a default, or be nullable")
    return found


def _duckdb_column(column: Column[Any]) -> str:
    # A column that joins a table cannot be NOT NULL there, so one with a default never is.
    rule = " NOT NULL" if column.default is None and not column.nullable else ""
    return f"{column.name} {DUCKDB_TYPES[column.kind]}{rule}{_default(column)}"


def _clickhouse_column(column: Column[Any]) -> str:
    kind = CLICKHOUSE_TYPES[column.kind]
    if column.nullable:
        kind = "LowCardinality(Nullable(String))" if column.kind is ColumnKind.NAME else f"Nullable({kind})"
    return f"{column.name} {kind}{_default(column)}"


def _default(column: Column[Any]) -> str:
    if column.default is None:
        return ""
    if isinstance(column.default, str):
        return " DEFAULT '" + column.default.replace("'", "''") + "'"
    return f" DEFAULT {column.default}"
