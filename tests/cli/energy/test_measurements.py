import pytest

from energy.law_points import dense
from energy.simulated_server import Truth, simulate
from energy.test_watch_log import written
from modicum.calls import UserError
from modicum.cli.energy.measurements import parse_expert_share, read_points, read_recording
from modicum.energy.bench import FORMAT, BenchResult, write_result


def test_a_log_and_a_bench_are_told_apart(tmp_path):
    log = written(tmp_path / "run.jsonl", simulate(Truth(), 10, 1))
    write_result(tmp_path / "p.json", BenchResult(FORMAT, "m", (), tuple(dense())))

    assert read_recording(log) is not None
    assert read_recording(tmp_path / "p.json") is None
    assert len(read_points([tmp_path / "p.json", tmp_path / "p.json"]).points) == 16


@pytest.mark.parametrize("text", ["10", "72/10", "0/8", "a/b"])
def test_experts_are_two_numbers(text):
    with pytest.raises(UserError, match="10/72"):
        parse_expert_share(text)


def test_no_experts_are_none():
    assert parse_expert_share(None) is None
