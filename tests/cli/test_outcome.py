"""`modicum outcome`, from the command line into a ledger."""

import json
import os
import subprocess
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from modicum.calls import Basis, Call, Cost, Entry, Usage
from modicum.ledger.opening import open_store
from modicum.ledger.records import OUTCOMES

NOON = datetime(2026, 2, 3, 12, tzinfo=UTC)


@pytest.fixture
def ledger(tmp_path):
    return str(tmp_path / "ledger.duckdb")


@pytest.fixture
def run(modicum, ledger):
    def run(*words):
        ran = modicum("outcome", *words, "--ledger", ledger)
        return ran.status, ran.out, ran.err

    return run


def outcomes(ledger):
    opened = open_store(ledger)
    found = [(o.task, o.name, o.value) for o in opened.records(OUTCOMES)]
    opened.close()
    return found


def test_a_file_is_imported_once_however_often_and_bad_rows_are_told(run, ledger, tmp_path):
    path = tmp_path / "o.csv"
    path.write_text("task,name,value,time\nT1,resolved,1,2026-02-03\nT2,resolved,perhaps,2026-02-03\n")

    assert run("import", str(path))[0] == 0
    code, out, err = run("import", str(path), "--strict", "--json")

    assert outcomes(ledger) == [("T1", "resolved", 1.0)]
    assert code == 1
    assert json.loads(out)["problems"] == [
        {"path": str(path), "line": 3, "reason": "not an outcome: value is no number"}
    ]
    assert err == ""


def test_a_file_that_is_not_there_is_told(run, tmp_path):
    code, _, err = run("import", str(tmp_path / "none.csv"))

    assert (code, err.startswith("modicum: there is no file")) == (2, True)


def test_recording_again_corrects_unless_it_adds(run, ledger):
    status, _, wrong = run("list")
    assert status == 2
    assert "there is no ledger" in wrong
    run("record", "T1", "resolved", "0")
    run("record", "T1", "resolved", "1")
    run("record", "T1", "bugs", "1", "--add", "--time", "2026-02-03T12:00")
    run("record", "T1", "bugs", "2", "--add", "--time", "2026-02-03T13:00")

    assert sorted(outcomes(ledger)) == [("T1", "bugs", 1.0), ("T1", "bugs", 2.0), ("T1", "resolved", 1.0)]
    table = json.loads(run("list", "--json")[1])["outcomes"]
    assert [(row["name"], row["value_sum"], row["tasks_without_calls"]) for row in table] == [
        ("bugs", 3.0, 1),
        ("resolved", 1.0, 1),
    ]
    assert "resolved" in run("list")[1]


@pytest.mark.parametrize("words", [("T", "n", "-1"), ("T", "n", "nan"), ("T", "n", "inf"), (" ", "n", "1")])
def test_what_is_no_outcome_is_refused(run, words):
    code, _, err = run("record", *words[:2], "--", words[2]) if words[2] == "-1" else run("record", *words)

    assert code == 2
    assert "Traceback" not in err


@pytest.fixture
def repo(tmp_path):
    folder = tmp_path / "shop"
    folder.mkdir()
    at = (NOON + timedelta(hours=1)).isoformat()
    away = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    when = {"GIT_AUTHOR_DATE": at, "GIT_COMMITTER_DATE": at}
    (folder / "a.txt").write_text("1\n2\n")
    for words in (
        ("init", "-q", "-b", "main"),
        ("config", "user.email", "ada@example.org"),
        ("config", "user.name", "Ada"),
        ("add", "-A"),
        ("commit", "-q", "-m", "work"),
    ):
        subprocess.run(["git", "-C", folder, *words], check=True, env=os.environ | away | when)
    return folder


def call(call_id, task, project, hours=0.0, branch="main"):
    made = Call(
        call_id=call_id,
        source="test",
        provider="anthropic",
        model="m",
        started=NOON + timedelta(hours=hours),
        usage=Usage(1_000),
        task=task,
        project=str(project),
        branch=branch,
    )
    return Entry(made, Cost(Decimal("0.5"), Basis.EXACT))


def test_commits_become_outcomes_of_the_task_before_them_and_the_rule_is_printed(run, ledger, repo):
    opened = open_store(ledger)
    opened.append([call("c1", "T1", repo), call("c2", "T2", repo / "sub", -20), call("c3", "T3", "/elsewhere")])
    opened.close()
    dry = run("from-git", str(repo), "--dry-run")[1]

    assert "would be booked" in dry
    assert outcomes(ledger) == []
    code, out, _ = run("from-git", str(repo))
    told = json.loads(run("from-git", str(repo), "--json")[1])

    assert code == 0
    assert "Rule: A commit counts in full for the task with the last call" in out
    assert "1 commit: 1 joined by branch and time, 0 by time alone, 0 to no task" in out
    assert (told["tasks"], told["tasks_without_commit"], told["authors"]) == (2, 1, ["ada@example.org"])
    booked = outcomes(ledger)
    assert {o for o in booked if o[2]} == {
        ("T1", "commits", 1.0),
        ("T1", "lines_added", 2.0),
        ("T1", "files_changed", 1.0),
    }
    assert ("T2", "commits", 0.0) in booked
    assert len(booked) == 8


def test_a_repository_that_the_logs_name_otherwise_is_told_how_to_be_found(run, ledger, repo):
    opened = open_store(ledger)
    opened.append([call("c1", "T1", "/home/ada/shop")])
    opened.close()
    code, _, err = run("from-git", str(repo))

    assert code == 2
    assert "--project PATH (projects in the ledger: /home/ada/shop)" in err
    assert run("from-git", str(repo), "--project", "/home/ada/shop")[0] == 0


@pytest.mark.parametrize("window", ["0h", "soon", "8"])
def test_a_window_that_is_none_is_refused(run, repo, window):
    code, _, err = run("from-git", str(repo), "--window", window)

    assert (code, "write 90m, 8h or 2d" in err) == (2, True)
