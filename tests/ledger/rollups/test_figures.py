from modicum.ledger.columns import ENTRY_KINDS
from modicum.ledger.record_table import ColumnKind
from modicum.ledger.rollups.figures import MONEY, NAMES, NUMBER, SUMS, WHOLE, rollup_columns
from modicum.ledger.tables import DUCKDB_TYPES

NOT_OF_QUESTIONS = {"entry_id", "revision", "finish_reason", "web_searches", "provider_cost_usd", "price_version"} | {
    *("reported_cost_usd", "conversation", "turn", "kept_segments", "break_cause", "prompt_events", "client_version"),
    "cache_miss",
}
"""Columns of an entry that no sum of days needs."""


def columns_of(store, table):
    """Names and types, as the engine says them."""
    if "duckdb" in store.place:
        question = "SELECT column_name AS name, data_type AS kind FROM duckdb_columns() WHERE table_name = $table"
    else:
        question = "SELECT name, type AS kind FROM system.columns WHERE database = currentDatabase() AND table = $table"
    return {row["name"]: row["kind"] for row in store._rows(question, {"table": table})}


def test_the_table_holds_what_is_summed(store):
    is_embedded = "duckdb" in store.place
    found = columns_of(store, "rollups" if is_embedded else "rollups_log")

    assert set(found) == {"zone", *rollup_columns()} | (set() if is_embedded else {"summed_at"})
    assert {kind for name, kind in found.items() if name in NAMES} <= {"VARCHAR", "String", "LowCardinality(String)"}
    for names, kinds in (
        (WHOLE, {DUCKDB_TYPES[ColumnKind.WHOLE], "Int64", "Nullable(Int64)"}),
        (NUMBER, {DUCKDB_TYPES[ColumnKind.NUMBER], "Nullable(Float64)"}),
        (MONEY, {"DECIMAL(38,10)", "Nullable(Decimal(38, 10))"}),
    ):
        assert {found[name] for name in names} <= kinds


def test_no_column_of_an_entry_is_forgotten():
    """Each one is a name or in a sum, or it is on the list of those that are neither."""
    texts = " ".join([*NAMES.values(), *SUMS.values(), "task", "started"])

    assert {name for name in ENTRY_KINDS if name not in texts} == NOT_OF_QUESTIONS
