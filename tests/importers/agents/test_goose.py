import sqlite3
from contextlib import closing
from pathlib import Path

from importers.fixture_pairs import cases_of, read
from modicum.calls import Basis
from modicum.importers.agents.goose import places


def test_a_database_of_an_older_version_has_sums_alone(tmp_path):
    path = tmp_path / "sessions.db"
    path.write_bytes(cases_of("goose")[0].read_bytes())
    with closing(sqlite3.connect(path)) as database:
        database.execute("DROP TABLE usage_ledger")
        database.commit()

    calls, problems = read([path])

    assert [(call.task, call.usage.prompt_tokens) for call in calls] == [("20250401_1", 341161), ("20260501_1", 90)]
    assert {call.usage_basis for call in calls} == {Basis.ESTIMATED}
    assert len(problems) == 1


def test_a_chosen_root_stands_above_the_usual_folders():
    assert places(Path("/home/ada"), {"GOOSE_PATH_ROOT": "/data"}) == [Path("/data/data/sessions/sessions.db")]
    assert Path("/home/ada/.local/share/goose/sessions/sessions.db") in places(Path("/home/ada"), {})
