import json

import pytest

from energy.command import run, run_json
from energy.simulated_server import Truth, bursts, simulate
from energy.test_log import written


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
    assert "the 20 dearest of 50" in out
    assert "unseen" in out
    assert "carbon unknown: give --grid" in out


def test_bad_input_is_told(files, tmp_path, capsys):
    empty = tmp_path / "calls.jsonl"
    empty.write_text("{}\n")

    assert "holds no usable call" in run(capsys, "energy", "calls", files[0], "--calls", empty)[2]
    assert "--pue is 0.5" in run(capsys, "energy", "calls", files[0], "--calls", files[1], "--pue", 0.5)[2]
