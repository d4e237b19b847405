"""A recording goes through our own JSONL into the ledger and comes back."""

import json
from datetime import UTC, datetime

import pytest

from agents.simulator import RIGHT, SimulatedTeam, planted
from modicum.agents.call_lines import make_call_lines, make_outcome_lines
from modicum.agents.recorder import AgentReply, TeamRecorder
from modicum.agents.recordings import ReadMessage, RecordedRow
from modicum.agents.team_plan import make_plan
from modicum.importers.exports.modicum import recorded

AT = datetime(2026, 2, 3, 10, tzinfo=UTC)


def test_a_turn_is_a_call_with_its_run_in_tags():
    turn = RecordedRow(
        run="7", team="s", agent="a", round=2, step=3, answer="B", prompt_tokens=9, reads=(ReadMessage("b", 1, 4),)
    )
    call = recorded(
        json.loads(make_call_lines([(AT, turn)], [RecordedRow(run="7", task="t", answer="C", gold="D")]))
    ).call

    assert (call.task, call.agent, call.usage.input_uncached) == ("t", "a", 9)
    assert (call.usage_basis, call.output_basis) == ("estimated", "unknown")
    assert call.tags == {
        "run": "7",
        "round": "2",
        "step": "3",
        "agent_team": "s",
        "answer": "B",
        "reads": '[{"agent":"b","round":1,"tokens":4}]',
        "team_answer": "C",
        "gold": "D",
    }


def test_an_uncounted_turn_has_no_usage():
    line = json.loads(make_call_lines([(AT, RecordedRow(run="7", agent="a"))], []))

    assert "usage" not in line
    assert recorded(line).call.usage_basis == "unknown"


def test_outcomes_of_a_task_with_several_runs_are_told_of_the_runs():
    results = [
        RecordedRow(run=run, task=task, outcome=1) for run, task in (("1", "a"), ("2", "b"), ("3", "b"), ("4", ""))
    ]

    lines = make_outcome_lines(results, AT, "resolved").splitlines()

    assert [json.loads(line)["task"] for line in lines] == ["a", "2", "3", "4"]


@pytest.mark.parametrize("graded_by", ["gold", "outcome"])
def test_a_recording_through_the_ledger_gives_the_same_attribution(graded_by, tmp_path, modicum):
    recorder = record(graded_by)
    for name in ("jsonl", "calls_jsonl", "outcomes_jsonl"):
        (tmp_path / name).write_text(getattr(recorder, name)())
    ledger = ["--ledger", str(tmp_path / "ledger.duckdb")]
    assert modicum("import", str(tmp_path / "calls_jsonl"), "--strict", *ledger).status == 0
    if graded_by == "outcome":
        assert modicum("outcome", "import", str(tmp_path / "outcomes_jsonl"), "--strict", *ledger).status == 0

    from_file = modicum("team", "attribute", str(tmp_path / "jsonl"), "--json")
    from_ledger = modicum("team", "attribute", "--json", *ledger)

    assert from_ledger.status == 0, from_ledger.err
    booked = json.loads(from_ledger.out)
    assert booked.pop("costs").keys() == {one["agent"] for one in booked["attribution"]["per_agent"]}
    assert booked == {name: told for name, told in json.loads(from_file.out).items() if name != "costs"}
    plans = [
        json.loads(modicum("team", *words, "--json").out)
        for words in (
            ["propose", str(tmp_path / "jsonl"), "--drop", "1"],
            ["propose", *ledger, "--drop", "1"],
            ["fit", *ledger, "--set", "drop_count=1"],
        )
    ]
    assert plans[0] == plans[1]
    assert plans[1]["drop"] == plans[2]["drop"]
    (tmp_path / "plan.json").write_text(json.dumps(plans[1]))
    replayed = [
        modicum("team", "verify", str(tmp_path / "plan.json"), "--json", *source)
        for source in (["--runs", str(tmp_path / "jsonl")], ledger)
    ]
    assert replayed[0].status == replayed[1].status == 0
    assert json.loads(replayed[0].out) == json.loads(replayed[1].out)


def record(graded_by):
    """Sixty runs of a simulated team; two of every three tasks are run once, the others twice."""
    team, recorder = SimulatedTeam(planted()), TeamRecorder("sim")
    for number, task in enumerate(team.tasks(60, 4)):
        done = team.run(task, make_plan(team.graph).guard())
        for row in done.rows:
            said = {name: getattr(row, name) for name in ("prompt_tokens", "completion_tokens", "model", "reads")}
            recorder.turn(task.name, row.agent, row.round, AgentReply(reply=row.answer, instructions=row.agent, **said))
        graded = {"gold": RIGHT} if graded_by == "gold" else {"outcome": float(done.answer == RIGHT)}
        recorder.result(task.name, done.answer, task=f"task {number - (number % 3 == 2)}", **graded)
    return recorder


def test_times_of_turns_never_repeat():
    recorder = TeamRecorder("t")
    for number in range(200):
        recorder.turn("1", "a", number + 1, AgentReply(reply="x"))

    starts = [datetime.fromisoformat(json.loads(line)["started"]) for line in recorder.calls_jsonl().splitlines()]
    assert starts == sorted(set(starts))
