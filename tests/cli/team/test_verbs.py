import json
import sys

import msgspec
import pytest

from agents.simulator import RIGHT, SimulatedTeam, planted
from cli.team.ledgers import team_ledger
from modicum.agents.graph import TeamGraph
from modicum.agents.plan_rules import Drop
from modicum.agents.recordings import RecordedRow
from modicum.agents.team_plan import encode_plan, make_plan, read_plan
from modicum.cli import main

RUNNER = """
from agents.simulator import SimulatedTeam, planted

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
        done = team.run(task, make_plan(team.graph).guard())
        rows = [msgspec.structs.replace(row, team="sim") for row in done.rows]
        rows.append(RecordedRow(run=task.name, team="sim", answer=done.answer, gold=RIGHT))
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


def test_where_no_line_is_good_the_bad_ones_are_told(tmp_path, capsys):
    path = tmp_path / "junk.jsonl"
    path.write_text('not json\n{"run": "1", "agent": "a", "round": 0}\n')

    code, _, err = run(capsys, "propose", path)

    assert code == 2
    assert "junk.jsonl:1: not a row of a team recording" in err
    assert "junk.jsonl:2: round is 0" in err


def test_a_plan_that_has_expired_is_shown_as_such(recording, tmp_path, capsys):
    path = tmp_path / "plan.json"
    path.write_text(
        encode_plan(msgspec.structs.replace(make_plan(SimulatedTeam(planted()).graph), expires="2020-01-01"))
    )

    assert json.loads(run(capsys, "show", path, "--json")[1])
    _, out, _ = run(capsys, "show", path)

    assert "2020-01-01: the plan expired on 2020-01-01, the full team runs" in out


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
    assert "learning used" in out
    assert read_plan(path.read_bytes(), "plan.json").verified.tasks_count == 80


def test_verify_replays_over_recorded_runs(recording, tmp_path, capsys):
    path = tmp_path / "plan.json"
    run(capsys, "propose", recording, "--drop", 1, "--out", path)

    code, out, _ = run(capsys, "verify", path, "--runs", recording)
    assert code == 0
    assert "a bound" in out
    assert "the plan was learned from these runs" in out
    assert "only new runs show" in out
    assert "ruled out" not in out

    code, out, _ = run(capsys, "verify", path, "--runs", recording, "--plan-runs", recording, "--json")
    assert code == 0
    assert json.loads(out)["verdict"]


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["verify", "plan.json"], "holds no calls"),
        (["verify", "plan.json", "--tasks", "tasks.jsonl"], "give both"),
        (["fit", "--learner", "agentprune"], "add --runner and --tasks"),
        (["show", "plan.json", "--svg", "x.svg"], "holds no calls"),
        (["attribute", "tasks.jsonl", "--since", "7d"], "runs of the ledger"),
        (["fit", "--runner", "nowhere:team", "--tasks", "tasks.jsonl"], "must be MODULE:NAME"),
        (["fit", "--runner", "json:dumps", "--tasks", "tasks.jsonl"], "has no graph"),
        (
            ["fit", "--runner", "simulated_team:team", "--tasks", "tasks.jsonl", "--set", "x=1"],
            "no parameter of --set called 'x'",
        ),
        (
            ["fit", "--runner", "simulated_team:team", "--tasks", "tasks.jsonl", "--set", "drop_count=many"],
            "accepted are",
        ),
    ],
)
def test_what_is_missing_is_said(args, says, runner, tmp_path, capsys):
    (tmp_path / "plan.json").write_text(encode_plan(make_plan(SimulatedTeam(planted()).graph)))

    code, _, err = run(capsys, *args)

    assert code == 2
    assert says in err


@pytest.fixture
def ledger(tmp_path):
    return team_ledger(tmp_path / "team.duckdb")


def test_a_picture_from_the_ledger(ledger, tmp_path, capsys):
    plan = msgspec.structs.replace(make_plan(TeamGraph(("a", "b"), 1), drop=(Drop("b"),)), team="sim")
    (tmp_path / "plan.json").write_text(encode_plan(plan))

    code, _, _ = run(capsys, "show", tmp_path / "plan.json", "--ledger", ledger, "--svg", tmp_path / "x.svg")

    assert code == 0
    assert "<svg" in (tmp_path / "x.svg").read_text()


def test_what_plans_spared(ledger, tmp_path, capsys):
    _, out, _ = run(capsys, "spared", "--ledger", ledger)
    _, told, _ = run(capsys, "spared", "--ledger", ledger, "--json")
    _, none, _ = run(capsys, "spared", "--ledger", ledger, "--until", "2026-02-04")

    assert "team_plan.drop" in out
    assert json.loads(told)["edits"] == [
        {
            "agent_team": "sim",
            "rule": "team_plan.drop",
            "calls": 1,
            "calls_spared": 0,
            "tokens_before": 100,
            "tokens_after": 0,
        }
    ]
    assert "no plan changed a call" in none


def test_a_recording_tells_no_costs(recording, capsys):
    _, out, _ = run(capsys, "attribute", recording, "--json")

    assert json.loads(out)["costs"] is None
