import pytest

from energy.command import run, run_json
from energy.fake_nvml import FakeNvml
from energy.fake_server import FakeServer
from energy.simulated_server import Truth, bursts, simulate
from energy.test_log import written
from energy.test_watch import moving_gpu


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    return written(tmp_path_factory.mktemp("log") / "run.jsonl", simulate(Truth(), 900, 1, rate=bursts))


@pytest.fixture
def gpu(monkeypatch):
    """One GPU at 300 W in this machine."""
    monkeypatch.setattr("modicum.energy.meters.nvml.library", lambda: moving_gpu()._nvml)


def test_a_live_watch_is_logged_and_its_replay_gives_the_same_figures(gpu, tmp_path, capsys):
    path, records = tmp_path / "run.jsonl", tmp_path / "windows.jsonl"
    with FakeServer() as server:
        code, live = run_json(
            capsys, "energy", "watch", "--server", server.url, "--seconds", 0.8, "--interval", 0.05, "--log", path
        )
    again, replayed = run_json(capsys, "energy", "watch", "--replay", path, "--windows", records)

    assert code == again == 1  # no token was generated
    assert live["figures"]["joules_per_generated_token"] is None
    assert live["figures"]["mean_watts"] == pytest.approx(300, rel=0.1)
    assert replayed["figures"] == live["figures"]
    assert replayed["split"] is None
    assert records.exists()


def test_a_recorded_watch_shows_rates_energy_and_the_split(log, capsys):
    code, out, _ = run(capsys, "energy", "watch", "--replay", log)

    assert code == 0
    assert "joules per generated token" in out
    assert "vllm on 1 x H100" in out
    assert "where the joules go" in out
    assert "measured" in out


def test_a_short_watch_has_no_split_and_says_why(tmp_path, capsys):
    short = written(tmp_path / "run.jsonl", simulate(Truth(), 30, 1, rate=bursts))

    assert "12 are needed; watch longer" in run(capsys, "energy", "watch", "--replay", short)[1]


def test_no_token_at_all_is_said_and_is_status_1(tmp_path, capsys):
    idle = written(tmp_path / "run.jsonl", simulate(Truth(), 30, 1, rate=lambda _: 0.0))

    code, out, _ = run(capsys, "energy", "watch", "--replay", idle)

    assert code == 1
    assert "no token was generated: energy per token is unknown" in out


def test_a_log_that_is_there_is_not_written_over(gpu, tmp_path, capsys):
    path = tmp_path / "run.jsonl"
    path.write_text("mine")
    with FakeServer() as server:
        code, _, err = run(capsys, "energy", "watch", "--server", server.url, "--seconds", 0.1, "--log", path)

    assert code == 2
    assert "never written over" in err
    assert path.read_text() == "mine"


@pytest.mark.parametrize(
    ("args", "says"),
    [
        ([], "name a server"),
        (["--server", "http://127.0.0.1:9", "--replay", "x"], "name a server"),
        (["--server", "http://127.0.0.1:9", "--interval", "0"], "more than 0 seconds"),
        (["--server", "http://127.0.0.1:9", "--gpu", "none"], "nothing to read energy from"),
        (["--server", "http://127.0.0.1:9", "--gpu", "first"], "neither 'all' nor 'none'"),
        (["--server", "http://127.0.0.1:9"], "no answer"),
        (["--server", "127.0.0.1:9"], "no web address"),
        (["--server", "http://127.0.0.1:9", "--dcgm", "http://127.0.0.1:9/metrics"], "is dcgm-exporter running"),
        (["--replay", "/nowhere"], "cannot be read"),
    ],
)
def test_what_cannot_be_watched_is_told(args, says, gpu, capsys):
    code, _, err = run(capsys, "energy", "watch", *args)

    assert code == 2
    assert says in err


def test_a_machine_without_a_driver_is_told_what_to_do(monkeypatch, capsys):
    monkeypatch.setattr("modicum.energy.meters.nvml.library", lambda: FakeNvml(missing=True))

    code, _, err = run(capsys, "energy", "watch", "--server", "http://127.0.0.1:9")

    assert code == 2
    assert "--dcgm" in err
