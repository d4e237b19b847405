"""Tables as the schema files and the rows of nouns make them, on both engines."""

import pytest

from ledger.samples import entry
from modicum.ledger.columns import EDIT_KINDS, ENTRY_COLUMNS, REUSE_KINDS, SEGMENT_KINDS
from modicum.ledger.opening import open_store
from modicum.ledger.record_table import Column, ColumnKind
from modicum.ledger.records import AUDIT_EVENTS, ENERGY_WINDOWS, OUTCOMES, RECORDS
from modicum.ledger.tables import (
    CLICKHOUSE_TYPES,
    DUCKDB_TYPES,
    clickhouse_changes,
    duckdb_changes,
    migrations,
    statements,
)

DUCKDB_COLUMNS = """
SELECT table_name AS "table", column_name AS name, data_type AS kind, is_nullable, column_default
FROM duckdb_columns() WHERE NOT internal ORDER BY table_name, column_index
"""
CLICKHOUSE_COLUMNS = """
SELECT table, name, type AS kind, default_expression
FROM system.columns WHERE database = currentDatabase() ORDER BY table, position
"""
CLICKHOUSE_ENGINES = """
SELECT name AS table, engine_full, sorting_key FROM system.tables WHERE database = currentDatabase() ORDER BY name
"""


def tables_of(store):
    """What the engine says of every table."""
    questions = (DUCKDB_COLUMNS,) if "duckdb" in store.place else (CLICKHOUSE_COLUMNS, CLICKHOUSE_ENGINES)
    found = {}
    for question in questions:
        for row in store._rows(question, {}):
            found.setdefault(row.pop("table"), []).append(row)
    return found


def test_tables_that_files_made_are_those_that_their_rows_say(store, place):
    by_files = tables_of(store)
    run = store._base.execute if "duckdb" in place else store._client.command
    names = {table.name for table in RECORDS.values()}
    logs = names if "duckdb" in place else {table.log for table in RECORDS.values()}
    if "duckdb" not in place:
        for view in names:
            run(f"DROP VIEW {view}")
    for table in logs:
        run(f"DROP TABLE {table}")
    changes = duckdb_changes if "duckdb" in place else clickhouse_changes
    for statement in changes(RECORDS.values(), {}):
        run(statement)

    by_rows = tables_of(store)
    assert {"outcomes", "energy_windows", "audit_events", "shortenings"} == names
    assert {name: by_rows[name] for name in names | logs} == {name: by_files[name] for name in names | logs}


def test_entries_and_their_parts_lie_in_columns_of_the_kinds_that_are_said(store, place):
    found = tables_of(store)
    types = DUCKDB_TYPES if "duckdb" in place else CLICKHOUSE_TYPES
    suffix = "" if "duckdb" in place else "_log"

    def lies(table, kinds):
        there = {row["name"]: row["kind"].replace(", ", ",") for row in found[table + suffix] if "name" in row}
        wanted = {name: types[kind].replace(", ", ",") for name, kind in kinds.items()}
        for name, kind in wanted.items():
            assert there[name] in {kind, f"Nullable({kind})"}, name

    lies("entries", {column.name: column.kind for column in ENTRY_COLUMNS})
    lies("segments", SEGMENT_KINDS)
    lies("edits", EDIT_KINDS)
    lies("reuse", REUSE_KINDS)


def test_nothing_is_changed_where_nothing_is_lacking():
    there = {name: set(table.kinds) for table in RECORDS.values() for name in (table.name, table.log)}

    assert list(duckdb_changes(RECORDS.values(), there)) == []
    assert list(clickhouse_changes(RECORDS.values(), there)) == []


def test_a_column_that_joins_without_saying_what_older_records_have_in_it_is_a_fault():
    there = {"outcomes": set(OUTCOMES.kinds) - {"task"}}

    with pytest.raises(ValueError, match=r"outcomes\.task joined later: it needs a default"):
        list(duckdb_changes([OUTCOMES], there))


def test_defaults_are_written_as_sql():
    told = "it's"
    joined = Column("remark", ColumnKind.TEXT, lambda _: "", default=told)
    lacking = {AUDIT_EVENTS.name: set(AUDIT_EVENTS.kinds)}
    table = type(AUDIT_EVENTS)(
        **{name: getattr(AUDIT_EVENTS, name) for name in AUDIT_EVENTS.__struct_fields__}
        | {"columns": (*AUDIT_EVENTS.columns, joined)}
    )

    assert list(duckdb_changes([table], lacking)) == [
        "ALTER TABLE audit_events ADD COLUMN remark VARCHAR DEFAULT 'it''s'"
    ]
    assert "revision" in ENERGY_WINDOWS.kinds


@pytest.mark.parametrize("engine", ["duckdb", "clickhouse"])
def test_schema_files_are_numbered_without_gap(engine):
    numbers = [number for number, _ in migrations(engine)]

    never_used = {13, 14}
    assert numbers == [number for number in range(1, numbers[-1] + 1) if number not in never_used]


def test_statements_are_cut_and_comments_left_out():
    assert list(statements("-- a; b\nCREATE x; -- c\n\nDROP y;\n")) == ["CREATE x", "DROP y"]


@pytest.mark.usefixtures("made_ledgers")
@pytest.mark.parametrize("scheme", ["", "chdb://"])
def test_a_ledger_of_an_older_schema_is_brought_to_the_newest(tmp_path, scheme, monkeypatch):
    place = f"{scheme}{tmp_path}/ledger"
    numbered = {engine: migrations(engine) for engine in ("duckdb", "clickhouse")}
    with monkeypatch.context() as older:
        older.setattr("modicum.ledger.tables.migrations", lambda engine: numbered[engine][:2])
        older.setattr("modicum.ledger.records.RECORDS", {})
        older.setattr("modicum.ledger.embedded.RECORDS", {})
        older.setattr("modicum.ledger.clickhouse.RECORDS", {})
        open_store(place).close()
    newer = open_store(place)
    newer.append([entry()])

    assert next(newer.entries())[0].cost.effective_tokens == 12.5
    newer.close()


@pytest.mark.parametrize("name", ["file.duckdb", ":memory:"])
def test_the_ledgers_that_other_tests_copy_are_those_that_users_get(tmp_path, copied_ledgers, monkeypatch, name):
    def layout(place):
        opened = open_store(place)
        found = [
            opened._rows(
                f"SELECT {names} FROM duckdb_{kind}()"
                " WHERE NOT internal AND database_name = current_database() ORDER BY ALL",
                {},
            )
            for kind, names in (
                ("columns", "table_name, column_name, column_index, data_type, is_nullable, column_default"),
                ("views", "view_name, sql"),
                ("functions", "function_name, parameters, macro_definition"),
            )
        ]
        found.append(opened._rows("SELECT version FROM schema_versions ORDER BY ALL", {}))
        opened.close()
        return found

    copied = layout(name if name == ":memory:" else f"{tmp_path}/{name}")
    for (owner, function), own in copied_ledgers.items():
        monkeypatch.setattr(owner, function, own)

    assert copied == layout(f"{tmp_path}/made.duckdb")
    assert len(copied[0]) > 100
