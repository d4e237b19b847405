import json
from datetime import UTC, datetime, timedelta

import pytest

from energy.command import run, run_json
from energy.simulated_server import Truth, bursts, simulate
from energy.test_watch_log import written
from modicum.calls import Call, Cost, Entry, Outcome, Usage
from modicum.ledger.opening import open_store
from modicum.ledger.records import OUTCOMES
from modicum.settings import data_folder


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("calls")
    log = written(folder / "run.jsonl", simulate(Truth(), 300, 1, rate=bursts))
    rows = [
        {
            "call_id": f"c{n}", "started": 1_700_000_000 + 10 + n, "first_token": 1_700_000_000 + 10.2 + n,
            "finished": 1_700_000_000 + 13 + n, "uncached_prompt_tokens": 400, "generated_tokens": 100,
        }
        for n in range(50)
    ]  # fmt: skip
    (folder / "calls.jsonl").write_text("\n".join(map(json.dumps, rows)))
    return log, folder / "calls.jsonl"


def test_shares_idle_and_unseen_sum_to_what_was_measured(files, capsys):
    code, found = run_json(capsys, "energy", "calls", files[0], "--calls", files[1], "--grid", 56, "--pue", 1.2)

    shared = found["attribution"]
    total = sum(call["joules"] for call in shared["calls"]) + shared["idle_joules"] + shared["unseen_joules"]
    assert code == 0
    assert total == pytest.approx(shared["measured_joules"])
    assert found["kilowatt_hours"] == pytest.approx(shared["measured_joules"] / 3.6e6 * 1.2)
    assert found["grams_co2"] == pytest.approx(found["kilowatt_hours"] * 56)


def test_the_dearest_calls_are_listed_and_carbon_is_unknown_without_a_grid(files, capsys):
    code, out, _ = run(capsys, "energy", "calls", files[0], "--calls", files[1])

    assert code == 0
    assert "the 20 of 50 calls with the most energy" in out
    assert "unseen" in out
    assert "carbon unknown: give --grid" in out


def test_bad_input_is_told(files, tmp_path, capsys):
    empty = tmp_path / "calls.jsonl"
    empty.write_text("{}\n")

    assert "holds no usable call" in run(capsys, "energy", "calls", files[0], "--calls", empty)[2]
    assert "--pue is 0.5" in run(capsys, "energy", "calls", files[0], "--calls", files[1], "--pue", 0.5)[2]


@pytest.fixture
def booked(tmp_path, capsys):
    """A ledger with the windows of a watch and calls of its server, of another, and of none."""
    place = str(tmp_path / "ledger.duckdb")
    log = written(tmp_path / "run.jsonl", simulate(Truth(), 300, 1, rate=bursts))
    run(capsys, "energy", "watch", "--replay", log, "--provider", "own", "--ledger", place)
    store = open_store(place)
    started = datetime.fromtimestamp(1_700_000_000, UTC)
    store.append(
        [
            Entry(
                Call(
                    call_id=f"{provider}{n}", source="s", provider=provider, model="m", task=f"T{n % 5}",
                    started=started + timedelta(seconds=10 + n), first_token=started + timedelta(seconds=10.2 + n),
                    finished=started + timedelta(seconds=13 + n), usage=Usage(400, output_visible=100),
                ),
                Cost.unknown(),
            )
            for provider in ("own", "anthropic") for n in range(20)
        ]
    )  # fmt: skip
    store.append_records(
        OUTCOMES,
        [Outcome(outcome_id=f"T{n}", task=f"T{n}", name="resolved", value=n % 2, time=started) for n in range(5)],
    )
    store.close()
    return place


def test_the_ledgers_windows_are_shared_out_over_its_own_calls_of_the_same_server(booked, capsys):
    code, found = run_json(capsys, "energy", "calls", "--ledger", booked)

    shared = found["attribution"]
    total = sum(call["joules"] for call in shared["calls"]) + shared["idle_joules"] + shared["unseen_joules"]
    assert code == 0
    assert {call["call_id"] for call in shared["calls"]} == {f"own{n}" for n in range(20)}
    assert total == pytest.approx(shared["measured_joules"])
    assert shared["rule"] == "split"
    assert "idle " in run(capsys, "energy", "calls", "--ledger", booked)[1]


def test_a_log_needs_its_calls(files, capsys):
    assert "the file of the calls that ran in its time" in run(capsys, "energy", "calls", files[0])[2]


def test_the_bill_of_the_ledger_has_kilowatt_hours_where_they_were_measured(booked, capsys):
    energy = run_json(capsys, "bill", "--ledger", booked)[1]["energy_kwh"]
    measured = run_json(capsys, "energy", "calls", "--ledger", booked)[1]["kilowatt_hours"]

    assert energy["measured"] == pytest.approx(measured) == pytest.approx(energy["idle"] + energy["busy"])
    assert (energy["basis"], energy["idle_basis"]) == ("exact", "estimated")
    assert "watched servers drew" in run(capsys, "bill", "--ledger", booked)[1]


def test_a_bill_of_a_time_without_a_watch_has_no_energy(booked, capsys):
    code, bill = run_json(
        capsys, "bill", "--ledger", booked, "--since", "2023-11-14T22:13:30", "--until", "2023-11-14T22:13:31"
    )

    assert code == 0
    assert bill["energy_kwh"] is None


def test_the_yield_per_kilowatt_hour_is_of_tasks_of_which_every_call_was_measured(booked, capsys):
    rows = {
        row["name"]: row
        for row in run_json(capsys, "yield", "--outcome", "resolved", "--by", "provider", "--ledger", booked)[1]["rows"]
    }
    shared = run_json(capsys, "energy", "calls", "--ledger", booked)[1]["attribution"]["calls"]
    drawn = sum(call["joules"] + call["idle_joules"] for call in shared)

    own = rows["own"]
    assert own["energy_kwh"] == pytest.approx(drawn / 3.6e6)
    assert own["outcomes_per_kwh"]["value"] == pytest.approx(own["outcomes"] / own["energy_kwh"])
    assert own["outcomes_per_kwh"]["low"] < own["outcomes_per_kwh"]["value"] < own["outcomes_per_kwh"]["high"]
    assert rows["anthropic"]["outcomes_per_kwh"] is None
    assert rows["anthropic"]["energy_kwh"] is None


def test_joules_and_grams_are_divided_by_requests_and_by_outcomes(booked, capsys):
    _, calls = run_json(capsys, "energy", "calls", "--ledger", booked, "--grid", 56)
    asked = ("yield", "--outcome", "resolved", "--provider", "own", "--ledger", booked, "--grid", 56)
    _, found = run_json(capsys, *asked)
    _, out, _ = run(capsys, *asked)

    request, outcome = calls["per_request"], found["energy_per_outcome"]
    count = len(calls["attribution"]["calls"])
    assert request["joules"] == pytest.approx(calls["attribution"]["measured_joules"] / count)
    assert request["grams_co2"] == pytest.approx(request["joules"] / 3.6e6 * 56)
    assert outcome["joules"] == pytest.approx(3.6e6 / found["outcomes_per_kwh"]["value"])
    assert outcome["grams_co2"] == pytest.approx(outcome["joules"] / 3.6e6 * 56)
    assert "energy per outcome: " in out
    assert "SCI" in out


def test_windows_without_calls_say_what_the_ledger_lacks_and_what_to_type(tmp_path, capsys):
    place = str(tmp_path / "ledger.duckdb")
    log = written(tmp_path / "run.jsonl", simulate(Truth(), 60, 1, rate=bursts))
    run(capsys, "energy", "watch", "--replay", log, "--ledger", place)

    code, out, err = run(capsys, "energy", "calls", "--ledger", place)
    assert code == 2
    assert "measured" in out
    assert "holds no call from 2023-11-14 22:13 UTC" in err
    assert "modicum import PATH" in err


def test_calls_of_other_providers_are_named(booked, capsys):
    store = open_store(booked)
    store.purge_records(datetime(2100, 1, 1, tzinfo=UTC))
    store.close()
    data_folder().mkdir(parents=True, exist_ok=True)
    log = written(data_folder() / "run.jsonl", simulate(Truth(), 60, 1, rate=bursts))
    run(capsys, "energy", "watch", "--replay", log, "--ledger", booked)

    code, _, err = run(capsys, "energy", "calls", "--ledger", booked)
    assert code == 2
    assert "holds calls of: anthropic (20), own (20)" in err
    assert "--provider NAME" in err
    assert run(capsys, "energy", "calls", "--ledger", booked, "--provider", "own")[0] == 0


def test_calls_beside_the_logs_time_are_named(files, tmp_path, capsys):
    early = {"call_id": "a", "started": 5, "first_token": 6, "finished": 7}
    path = tmp_path / "calls.jsonl"
    path.write_text(json.dumps(early | {"uncached_prompt_tokens": 5, "generated_tokens": 7}))

    code, _, err = run(capsys, "energy", "calls", files[0], "--calls", path)
    assert code == 2
    assert "are outside the time of" in err


def test_fits_are_listed_with_their_time(booked, capsys):
    (law,) = run_json(capsys, "energy", "calls", "--ledger", booked)[1]["laws"]

    assert (law["servers"], law["seconds"] > 290, law["window_error"] < 0.05) == (["http://h"], True, True)
