import json

import pytest

from cli.team.ledgers import team_ledger
from modicum.calls import UserError
from modicum.cli import main
from modicum.cli.team.recordings import TeamLedgerOptions, read_team


def run(capsys, *args):
    with pytest.raises(SystemExit) as stop:
        main(["team", *map(str, args)])
    out, err = capsys.readouterr()
    return stop.value.code, out, err


@pytest.fixture
def ledger(tmp_path):
    return team_ledger(tmp_path / "team.duckdb")


def test_attribution_from_the_ledger_has_the_cost_of_a_turn(ledger, capsys):
    _, out, _ = run(capsys, "attribute", "--ledger", ledger)
    _, told, err = run(capsys, "attribute", "--ledger", ledger, "--json")

    assert "$0.50*" in out
    assert "$0.38" in out
    assert "1 run used a plan: left out" in err
    costs = json.loads(told)["costs"]
    assert costs["a"] == {"turns_count": 2, "turns_priced": 1, "cost_usd": 0.5, "cost_per_turn_usd": 0.5}
    assert costs["b"]["cost_per_turn_usd"] == 0.375


@pytest.mark.parametrize(
    ("options", "runs"),
    [
        (["--since", "2026-02-04"], 1),
        (["--until", "2026-02-04"], 1),
        (["--arm", "plan"], 1),
        (["--arm", "all"], 3),
        ([], 2),
    ],
)
def test_runs_of_a_time_and_kind(ledger, capsys, options, runs):
    _, out, _ = run(capsys, "attribute", "--ledger", ledger, "--json", *options)

    assert json.loads(out)["attribution"]["runs_count"] == runs


def test_a_recording_and_a_ledger_are_two_sources_of_the_same_runs(ledger, tmp_path):
    path = tmp_path / "runs.jsonl"
    path.write_text("")

    with pytest.raises(UserError, match="two sources"):
        read_team(path, None, (), TeamLedgerOptions(ledger_url=str(ledger)))
    with pytest.raises(UserError, match="used as a whole"):
        read_team(path, None, (), TeamLedgerOptions(since="7d"))
