import sqlite3
from contextlib import closing

from modicum.calls import Problem
from modicum.importers.agents.agent_database import database_calls, has_columns, rows_of
from modicum.importers.agents.opencode import SQLITE


def database(path, script):
    with closing(sqlite3.connect(path)) as made:
        made.executescript(script)
    return path


def test_rows_come_with_all_their_columns_and_a_table_that_is_not_there_has_none(tmp_path):
    path = database(tmp_path / "a.db", "CREATE TABLE a (x, y); INSERT INTO a VALUES (1, 'one'), (2, NULL)")

    with closing(sqlite3.connect(path)) as opened:
        assert list(rows_of(opened, "a")) == [{"x": 1, "y": "one"}, {"x": 2, "y": None}]
        assert list(rows_of(opened, "b")) == []


def test_tables_are_known_by_their_columns(tmp_path):
    path = database(tmp_path / "a.db", "CREATE TABLE a (x, y)")

    assert has_columns(path, SQLITE, {"a": {"x"}})
    assert not has_columns(path, SQLITE, {"a": {"z"}})
    assert not has_columns(path, SQLITE, {"b": {"x"}})
    assert not has_columns(path, b"{}", {"a": {"x"}})


def test_a_damaged_database_is_a_problem_after_what_could_be_read(tmp_path):
    path = database(tmp_path / "a.db", "CREATE TABLE a (x); INSERT INTO a VALUES (1)")

    def read(opened):
        yield from (row["x"] for row in rows_of(opened, "a"))
        opened.execute("SELECT * FROM gone")

    found = list(database_calls(path, "an agent", read))

    assert found[0] == 1
    assert isinstance(found[1], Problem)
    assert "cannot be read as a database of an agent" in found[1].reason
