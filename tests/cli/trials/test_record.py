from datetime import UTC, datetime

import pytest

from modicum.calls import UserError
from modicum.cli.trials.record import append_run, read_plan, read_runs, write_plan
from modicum.experiments.trials.saver_trial import SaverTask, SaverTrial, TrialRun

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
TRIAL = SaverTrial(saver="s", command=["c"], tasks=[SaverTask(task="t")])
RUN = TrialRun(
    run_id="1",
    arm="with",
    task="t",
    outcome=1.0,
    status="ended",
    exit_code=0,
    started_at=NOON,
    seconds=1.0,
    prompt_tokens=None,
    completion_tokens=None,
    total_tokens=None,
    cost_usd=None,
)


def test_plan_and_runs_come_back_as_they_were(tmp_path):
    write_plan(tmp_path / "r", TRIAL, NOON, "ann", {"modicum": "1"})
    append_run(tmp_path / "r", RUN)
    append_run(tmp_path / "r", RUN)

    assert read_plan(tmp_path / "r") == TRIAL
    assert read_runs(tmp_path / "r") == [RUN, RUN]
    assert read_plan(tmp_path / "none") is None


def test_a_line_that_a_crash_cut_short_is_no_run_and_makes_room_for_the_next(tmp_path):
    append_run(tmp_path, RUN)
    path = tmp_path / "runs.jsonl"
    path.write_bytes(path.read_bytes() + b'{"run_id": "2", "ar')
    assert read_runs(tmp_path) == [RUN]
    append_run(tmp_path, RUN)
    assert read_runs(tmp_path) == [RUN, RUN]


def test_a_broken_line_in_the_middle_is_named(tmp_path):
    (tmp_path / "runs.jsonl").write_bytes(b"{}\n")
    with pytest.raises(UserError, match=r"runs.jsonl:1 is no run"):
        read_runs(tmp_path)
