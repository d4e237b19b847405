import pytest

from energy.command import run, run_json
from energy.law_points import dense, made
from energy.simulated_server import Truth, bursts, simulate
from energy.test_watch_log import written
from modicum.energy.bench import FORMAT, BenchResult, write_result


def kept(path, points, model="m"):
    write_result(path, BenchResult(FORMAT, model, (), tuple(points)))
    return path


def test_the_law_of_a_bench_is_printed_with_its_error(tmp_path, capsys):
    code, out, _ = run(capsys, "energy", "fit", kept(tmp_path / "p.json", dense()), "--picture", tmp_path / "t.svg")

    assert code == 0
    assert "per step         3.1 J" in out
    assert "not identifiable: only one prompt length" in out
    assert "predicted with a mean error of 0.0 %" in out
    assert "from concurrency 443 on" in out
    assert "times the speed of all streams together took" in out
    assert "(more than the highest measured concurrency, 128)" in out
    assert (tmp_path / "t.svg").exists()


def test_experts_are_a_term_of_their_own(tmp_path, capsys):
    code, found = run_json(capsys, "energy", "fit", kept(tmp_path / "p.json", dense()), "--experts", "10/72")

    assert code == 0
    assert found["law"]["expert_share"] == pytest.approx(10 / 72)


def test_the_split_of_a_watch_is_printed(tmp_path, capsys):
    log = written(tmp_path / "run.jsonl", simulate(Truth(), 900, 1, rate=bursts))

    code, found = run_json(capsys, "energy", "fit", log)

    assert code == 0
    assert found["split"]["per_step"]["value"] == pytest.approx(2.6, rel=0.05)


def test_constant_load_is_status_1_and_says_what_is_not_identifiable(tmp_path, capsys):
    log = written(tmp_path / "run.jsonl", simulate(Truth(), 300, 1, closed=16))

    code, out, _ = run(capsys, "energy", "fit", log)

    assert code == 1
    assert "not identifiable" in out
    assert "vary the load" in out


def test_files_that_do_not_belong_together_are_refused(tmp_path, capsys):
    one, other = kept(tmp_path / "a.json", dense()), kept(tmp_path / "b.json", dense(), "n")
    log = written(tmp_path / "run.jsonl", simulate(Truth(), 20, 1))

    assert "different models (m, n)" in run(capsys, "energy", "fit", one, other)[2]
    assert "one recorded watch at a time" in run(capsys, "energy", "fit", log, log)[2]
    assert (
        "at 3 or more values of concurrency"
        in run(capsys, "energy", "fit", kept(tmp_path / "c.json", [made(1, 1.0)]))[2]
    )
