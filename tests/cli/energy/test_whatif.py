import pytest

from energy.command import run, run_json
from energy.law_points import dense
from energy.simulated_server import Truth, bursts, simulate
from energy.test_watch_log import written
from modicum.energy.bench import FORMAT, BenchResult, write_result


@pytest.fixture
def points(tmp_path):
    write_result(tmp_path / "p.json", BenchResult(FORMAT, "m", (), tuple(dense())))
    return tmp_path / "p.json"


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    return written(tmp_path_factory.mktemp("log") / "run.jsonl", simulate(Truth(), 900, 1, rate=bursts))


def test_a_larger_batch_is_answered_from_a_bench(points, capsys):
    code, found = run_json(capsys, "energy", "whatif", points, "--at", 8, "--batch", 32)

    assert code == 0
    assert found["saving"] == pytest.approx(1 - (0.07 + 3.1 / 32) / (0.07 + 3.1 / 8))


def test_fewer_and_cached_prompt_tokens_are_answered_from_a_watch(log, capsys):
    code, out, _ = run(capsys, "energy", "whatif", log, "--input-cut", "40%", "--cache-hit", "60%")

    assert code == 0
    assert "prompt" in out
    assert "saves" in out
    assert "idle energy is not included" in out


def test_a_smaller_batch_costs(points, capsys):
    assert "costs" in run(capsys, "energy", "whatif", points, "--at", 32, "--batch", 8)[1]


def test_a_cap_is_answered_or_refused(points, capsys):
    assert "no effect" in run(capsys, "energy", "whatif", points, "--at", 8, "--power-cap", 650)[1]
    assert run_json(capsys, "energy", "whatif", points, "--at", 8, "--power-cap", 650)[0] == 0
    assert "bench again" in run(capsys, "energy", "whatif", points, "--at", 64, "--power-cap", 400)[2]


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["--input-cut", "40%"], "two prompt lengths"),
        (["--output-cut", "most"], "write 40% or 0.4"),
        (["--output-cut", "1"], "less than 100 %"),
        (["--power-cap", "400"], "needs --at"),
    ],
)
def test_what_cannot_be_answered_is_refused(args, says, points, capsys):
    code, _, err = run(capsys, "energy", "whatif", points, *args)

    assert code == 2
    assert says in err


def test_a_watch_that_is_too_short_is_refused(tmp_path, capsys):
    short = written(tmp_path / "run.jsonl", simulate(Truth(), 20, 1))

    assert "too short for a fit" in run(capsys, "energy", "whatif", short, "--batch", 3)[2]
