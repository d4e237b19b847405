import sqlite3
import time

import pytest

from ledger.faults import garbage, left_open
from modicum.calls import UserError
from modicum.experiments.team_runs import CANARY, NEITHER, PLAN, GivenAnswer, Grading, TeamOutcomes

SHARE = 0.5
GRADING = {"support": Grading("", 0.02)}


@pytest.fixture
def outcomes(tmp_path):
    opened = TeamOutcomes(tmp_path / "teams.sqlite")
    yield opened
    opened.close()


def arms(outcomes, plan="p1"):
    watch = outcomes.watch("support", plan)
    return (watch.full.runs_count, watch.full.outcome_sum, watch.plan.runs_count, watch.plan.outcome_sum)


def test_each_run_is_graded_once_by_its_own_name_or_its_task(outcomes):
    outcomes.record_run("support", "r1", "PR-1", "p1", PLAN, SHARE)
    outcomes.record_run("support", "r2", "PR-2", "p1", CANARY, SHARE)
    outcomes.record_run("support", "r2", "PR-2", "p1", CANARY, SHARE)

    outcomes.apply_outcome("r1", "solved", 0.5, GRADING)
    outcomes.apply_outcome("PR-1", "solved", 1.0, GRADING)
    outcomes.apply_outcome("PR-2", "solved", 1.0, GRADING)
    outcomes.apply_outcome("nobody's", "solved", 1.0, GRADING)

    assert arms(outcomes) == (1, 1.0, 1, 0.5)


def test_a_task_with_several_runs_grades_none_of_them(outcomes):
    outcomes.record_run("support", "r1", "PR-1", "p1", PLAN, SHARE)
    outcomes.record_run("support", "r2", "PR-1", "p1", CANARY, SHARE)

    outcomes.apply_outcome("PR-1", "solved", 1.0, GRADING)

    assert arms(outcomes) == (0, 0, 0, 0)


def test_only_the_outcome_that_counts_and_only_shares(outcomes):
    for name in ("r1", "r2", "r3"):
        outcomes.record_run("support", name, "", "p1", PLAN, SHARE)
    grading = {"support": Grading("solved", 0.02)}

    outcomes.apply_outcome("r1", "lines", 1.0, grading)
    outcomes.apply_outcome("r2", "solved", 17.0, grading)
    outcomes.apply_outcome("r3", "solved", 1.0, {})

    assert arms(outcomes) == (0, 0, 0, 0)


def test_a_run_that_left_the_plan_proves_nothing(outcomes):
    outcomes.record_run("support", "r1", "", "p1", PLAN, SHARE)
    outcomes.record_run("support", "r1", "", "p1", NEITHER)
    outcomes.apply_outcome("r1", "solved", 0.0, GRADING)

    assert arms(outcomes) == (0, 0, 0, 0)


def test_a_run_that_two_workers_drew_with_different_shares_proves_nothing(outcomes):
    outcomes.record_run("support", "r1", "", "p1", PLAN, 0.05)
    outcomes.record_run("support", "r1", "", "p1", CANARY, 0.5)
    outcomes.record_run("support", "r2", "", "p1", PLAN, 0.05)
    outcomes.record_run("support", "r2", "", "p1", PLAN, 0.05)
    outcomes.record_run("support", "r3", "", "p1", PLAN)

    for run in ("r1", "r2", "r3"):
        outcomes.apply_outcome(run, "solved", 1.0, GRADING)

    assert arms(outcomes) == (0, 0, 1, 1.0)


def test_a_file_made_before_shares_were_recorded_goes_on(tmp_path):
    old = sqlite3.connect(tmp_path / "teams.sqlite")
    old.execute(
        "CREATE TABLE runs (team TEXT NOT NULL, run TEXT NOT NULL, task TEXT NOT NULL, plan TEXT NOT NULL, arm TEXT NOT"
        " NULL, began REAL NOT NULL, graded INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (team, run))"
    )
    old.execute("INSERT INTO runs VALUES ('support', 'old', '', 'p1', 'plan', ?, 0)", (time.time(),))
    old.execute(
        "CREATE TABLE watches (team TEXT NOT NULL, plan TEXT NOT NULL, body BLOB NOT NULL, PRIMARY KEY (team, plan))"
    )
    old.execute(
        "INSERT INTO watches VALUES ('support', 'p1', ?)",
        (b'{"full":{"runs_count":7,"outcome_sum":7.0},"plan":{"runs_count":90,"outcome_sum":80.0}}',),
    )
    old.commit()
    old.close()

    outcomes = TeamOutcomes(tmp_path / "teams.sqlite")
    outcomes.apply_outcome("old", "solved", 0.0, GRADING)
    outcomes.record_run("support", "new", "", "p1", PLAN, SHARE)
    outcomes.apply_outcome("new", "solved", 1.0, GRADING)

    assert arms(outcomes) == (7, 7.0, 91, 81.0)
    outcomes.close()


def test_a_plan_that_proves_worse_is_given_up_once_and_another_process_sees_it(outcomes, tmp_path):
    given_up = []
    for number in range(120):
        arm = CANARY if number % 2 else PLAN
        outcomes.record_run("support", f"r{number}", "", "p1", arm, SHARE)
        given_up += outcomes.apply_outcome(f"r{number}", "solved", float(arm == CANARY), GRADING)

    assert len(given_up) == 1
    assert given_up[0].startswith("support: reverted after ")
    other = TeamOutcomes(tmp_path / "teams.sqlite")
    assert other.watch("support", "p1").reverted
    assert not other.watch("support", "p2").reverted
    other.close()


def test_a_file_that_is_none_is_told(tmp_path):
    (tmp_path / "teams.sqlite").write_text("no database, but longer than a header of one would have to be" * 20)

    with pytest.raises(UserError, match=r"teams\.sqlite cannot be used"):
        TeamOutcomes(tmp_path / "teams.sqlite")


def test_a_file_that_is_none_is_not_left_open(tmp_path, monkeypatch):
    path = garbage(tmp_path, "random")

    def open_it():
        with pytest.raises(UserError):
            TeamOutcomes(path)

    assert left_open(monkeypatch, open_it) == 0


def test_answers_of_a_run_are_read_in_their_order_by_whoever_shares_the_file(outcomes, tmp_path):
    other = TeamOutcomes(tmp_path / "teams.sqlite")
    outcomes.record_answer("key", "support", "r1", GivenAnswer(1, "a", "x"))
    other.record_answer("key", "support", "r1", GivenAnswer(1, "b", None))
    outcomes.record_answer("key", "support", "r1", GivenAnswer(1, "a", "y"))
    outcomes.record_answer("key", "support", "r2", GivenAnswer(1, "c", "z"))

    assert other.answers("key", "support", "r1") == [GivenAnswer(1, "b", None), GivenAnswer(1, "a", "y")]
    assert other.answers("another key", "support", "r1") == []
    other.close()


def test_old_answers_are_forgotten(outcomes, monkeypatch):
    outcomes.record_answer("key", "support", "r1", GivenAnswer(1, "a", "x"))
    later = time.time() + 7 * 3600
    monkeypatch.setattr(time, "time", lambda: later)

    assert outcomes.answers("key", "support", "r1") == []
