import json
import sys

import msgspec
import pytest

from modicum.agents.plan import plain_plan, plan_json, read_plan
from modicum.agents.recorded import Row
from modicum.agents.simulator import RIGHT, SimulatedTeam, planted
from modicum.cli import main

RUNNER = """
from modicum.agents.simulator import SimulatedTeam, planted

class Team(SimulatedTeam):
    def run(self, task, guard):
        return super().run(self.tasks(1, task["seed"])[0], guard)

    def score(self, task, done):
        return float(done.answer == "right")

team = Team(planted())
"""


def run(capsys, *args):
    with pytest.raises(SystemExit) as stop:
        main(["team", *map(str, args)])
    out, err = capsys.readouterr()
    return stop.value.code, out, err


@pytest.fixture
def recording(tmp_path):
    team = SimulatedTeam(planted())
    lines = []
    for task in team.tasks(60, 4):
        done = team.run(task, plain_plan(team.graph).guard())
        rows = [msgspec.structs.replace(row, team="sim") for row in done.rows]
        rows.append(Row(run=task.name, team="sim", answer=done.answer, gold=RIGHT))
        lines += [msgspec.json.encode(row).decode() for row in rows]
    path = tmp_path / "runs.jsonl"
    path.write_text("\n".join(lines))
    return path


@pytest.fixture
def runner(tmp_path, monkeypatch):
    (tmp_path / "simulated_team.py").write_text(RUNNER)
    (tmp_path / "tasks.jsonl").write_text("\n".join(json.dumps({"seed": seed}) for seed in range(80)))
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path / "tasks.jsonl"
    sys.modules.pop("simulated_team", None)


def test_attribute_tells_who_is_who_and_what_it_cannot_tell(recording, capsys):
    code, out, _ = run(capsys, "attribute", recording)

    assert code == 0
    assert "sim: 60 runs, 60 graded" in out
    assert "2 of 5 agree" in out
    assert "The record cannot tell" in out


def test_attribute_as_json(recording, capsys):
    _, out, _ = run(capsys, "attribute", recording, "--json")

    found = json.loads(out)
    assert {one["agent"] for one in found["attribution"]["per_agent"]} >= {"bad"}
    assert [one["agree"] for one in found["early_exit"]["points"]] == [5, 4, 3, 2]


def test_bad_lines_are_told_with_their_place(recording, capsys):
    with recording.open("a") as file:
        file.write("\nnot json\n")

    code, _, err = run(capsys, "attribute", recording)

    assert code == 0
    assert f"{recording}:661" in err


def test_propose_writes_a_plan_that_can_be_shown_and_drawn(recording, tmp_path, capsys):
    path, picture = tmp_path / "plan.json", tmp_path / "team.svg"

    code, _, err = run(capsys, "propose", recording, "--drop", 1, "--protect", "able-1", "--out", path)
    assert code == 0, err
    plan = read_plan(path.read_bytes(), "plan.json")
    assert [line.agent for line in plan.drop] == ["bad"]
    assert plan.protect == ("able-1",)
    assert plan.expires

    code, out, err = run(capsys, "show", path, "--runs", recording, "--svg", picture)
    assert code == 0, err
    assert "bad in every round" in out
    assert "verified" in out
    assert picture.read_text().startswith("<svg")


def test_propose_with_little_to_go_by_says_so(recording, capsys):
    code, out, _ = run(capsys, "propose", recording, "--max-loss", 0.0001)

    assert code == 0
    assert "not enough evidence" in out


def test_a_plan_for_other_agents_is_refused_wherever_it_meets_runs(recording, tmp_path, capsys):
    path, strange = tmp_path / "plan.json", tmp_path / "strange.jsonl"
    run(capsys, "propose", recording, "--drop", 1, "--out", path)
    strange.write_text('{"run": "1", "team": "sim", "agent": "stranger", "answer": "x", "outcome": 1}')

    for args in (
        ["verify", path, "--runs", strange],
        ["verify", path, "--runs", recording, "--plan-runs", strange],
        ["show", path, "--runs", strange, "--svg", tmp_path / "team.svg"],
    ):
        code, _, err = run(capsys, *args)
        assert code == 2
        assert "in these runs stranger spoke too" in err


def test_a_plan_that_changes_nothing_is_told(recording, tmp_path, capsys):
    path = tmp_path / "plan.json"
    protected = [word for name in ("able-1", "able-2", "bad", "able-3", "able-4") for word in ("--protect", name)]

    code, out, _ = run(capsys, "propose", recording, *protected, "--out", path)
    assert code == 0
    assert "every agent is protected" in out

    _, out, _ = run(capsys, "verify", path, "--runs", recording)
    assert "the plan changes nothing in these runs" in out


def test_a_file_without_turns_says_what_a_turn_is(tmp_path, capsys):
    empty = tmp_path / "empty.jsonl"
    empty.write_text("")

    code, _, err = run(capsys, "attribute", empty)

    assert code == 2
    assert "holds no turns: a turn is a row with an agent" in err


def test_fit_counts_its_tokens_and_verify_compares_four_arms(runner, tmp_path, capsys):
    path = tmp_path / "plan.json"
    fit = ["fit", "--runner", "simulated_team:team", "--tasks", runner, "--learner", "agentdropout", "--out", path]

    code, _, err = run(capsys, *fit, "--set", "node_batches=1", "--budget-tokens", 300_000)
    assert code == 0, err
    assert "the budget ended" in err
    assert read_plan(path.read_bytes(), "plan.json").learned.tokens_spent >= 300_000

    verify = ["verify", path, "--runner", "simulated_team:team", "--tasks", runner]
    code, out, err = run(capsys, *verify, "--out", path)
    assert code == 0, err
    assert all(arm in out for arm in ("full team", "plan", "by lot", "one agent"))
    assert "verdict for a margin" in out
    assert "learning took" in out
    assert read_plan(path.read_bytes(), "plan.json").verified.tasks_count == 80


def test_verify_replays_over_recorded_runs(recording, tmp_path, capsys):
    path = tmp_path / "plan.json"
    run(capsys, "propose", recording, "--drop", 1, "--out", path)

    code, out, _ = run(capsys, "verify", path, "--runs", recording)
    assert code == 0
    assert "a bound" in out

    code, out, _ = run(capsys, "verify", path, "--runs", recording, "--plan-runs", recording, "--json")
    assert code == 0
    assert json.loads(out)["verdict"]


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["verify", "plan.json"], "holds no calls"),
        (["verify", "plan.json", "--tasks", "tasks.jsonl"], "go together"),
        (["fit", "--learner", "agentprune"], "add --runner and --tasks"),
        (["show", "plan.json", "--svg", "x.svg"], "add --runs"),
        (["fit", "--runner", "nowhere:team", "--tasks", "tasks.jsonl"], "must be MODULE:NAME"),
        (["fit", "--runner", "json:dumps", "--tasks", "tasks.jsonl"], "has no graph"),
        (["fit", "--runner", "simulated_team:team", "--tasks", "tasks.jsonl", "--set", "x=1"], "there is no 'x'"),
        (
            ["fit", "--runner", "simulated_team:team", "--tasks", "tasks.jsonl", "--set", "drop_count=many"],
            "the parameters of 'trace'",
        ),
    ],
)
def test_what_is_missing_is_said(args, says, runner, tmp_path, capsys):
    (tmp_path / "plan.json").write_text(plan_json(plain_plan(SimulatedTeam(planted()).graph)))

    code, _, err = run(capsys, *args)

    assert code == 2
    assert says in err
