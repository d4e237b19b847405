import json
import threading
import time
import urllib.request

import pytest

from energy.command import run, run_json
from energy.fake_nvml import FakeNvml
from energy.fake_server import FakeServer
from energy.simulated_server import Truth, bursts, simulate
from energy.test_watch import moving_gpu
from energy.test_watch_log import written


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
    assert "never overwritten" in err
    assert path.read_text() == "mine"


@pytest.mark.parametrize(
    ("args", "says"),
    [
        ([], "name a server"),
        (["--server", "http://127.0.0.1:9", "--replay", "x"], "name a server"),
        (["--server", "http://127.0.0.1:9", "--interval", "0"], "more than 0 seconds"),
        (["--server", "http://127.0.0.1:9", "--gpu", "none"], "no source of energy"),
        (["--server", "http://127.0.0.1:9", "--gpu", "first"], "must be 'all', 'none', numbers"),
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


def test_a_log_that_is_replayed_twice_is_booked_once(tmp_path, capsys):
    path = written(tmp_path / "run.jsonl", simulate(Truth(), 60, 1, rate=bursts))
    first = run_json(capsys, "energy", "watch", "--replay", path)[1]
    again = run_json(capsys, "energy", "watch", "--replay", path)[1]
    spent = run_json(capsys, "energy", "calls")[1]["attribution"]

    assert first["booked"]["new"] == again["booked"]["unchanged"] > 0
    assert again["booked"]["new"] == 0
    assert spent["measured_joules"] == pytest.approx(first["figures"]["joules"])


def test_a_watch_need_not_be_booked(tmp_path, capsys):
    path = written(tmp_path / "run.jsonl", simulate(Truth(), 30, 1, rate=bursts))

    assert run_json(capsys, "energy", "watch", "--replay", path, "--no-book")[1]["booked"] is None
    assert "holds no windows of energy" in run(capsys, "energy", "calls")[2]


def test_figures_are_shown_even_if_the_ledger_cannot_be_opened(tmp_path, capsys):
    path = written(tmp_path / "run.jsonl", simulate(Truth(), 30, 1, rate=bursts))

    code, out, err = run(capsys, "energy", "watch", "--replay", path, "--ledger", "mysql://x")

    assert code == 2
    assert "joules per generated token" in out
    assert f"book it with 'modicum energy watch --replay {path}'" in err


def work(server, tokens):
    """One request, once the watch has seen the server at rest."""
    while server.scrapes < 2:
        time.sleep(0.01)
    asked = json.dumps({"prompt": "a b c", "max_tokens": tokens}).encode()
    with urllib.request.urlopen(urllib.request.Request(server.url + "/v1/completions", asked)) as reply:  # noqa: S310
        reply.read()


def test_two_servers_on_two_hosts_are_watched_as_one(tmp_path, capsys):
    log = tmp_path / "run.jsonl"
    with FakeServer(gpu="GPU-a", watts=300) as one, FakeServer(gpu="GPU-b", watts=200) as other:
        asking = [threading.Thread(target=work, args=pair) for pair in ((one, 100), (other, 40))]
        for thread in asking:
            thread.start()
        code, live = run_json(
            capsys, "energy", "watch", "--server", one.url, "--server", other.url, "--dcgm", one.url + "/gpus",
            "--dcgm", other.url + "/gpus", "--seconds", 2, "--interval", 0.05, "--log", log, "--provider", "own",
        )  # fmt: skip
        for thread in asking:
            thread.join()
    told = json.loads(run(capsys, "ledger", "info", "--json")[1])
    spent = run_json(capsys, "energy", "calls")[1]["attribution"]

    assert code == 0
    assert live["figures"]["generated_tokens"] == 140
    assert live["figures"]["mean_watts"] == pytest.approx(500, rel=0.05)
    assert [gpu["gpu"] for gpu in live["gpus"]] == ["GPU-a", "GPU-b"]
    assert live["problems"] == []
    assert one.url in str(told)
    assert other.url in str(told)
    assert spent["measured_joules"] == pytest.approx(live["figures"]["joules"])
    assert run_json(capsys, "energy", "watch", "--replay", log, "--no-book")[1]["figures"] == live["figures"]


def test_one_of_two_hosts_that_is_silent_is_named(capsys):
    with FakeServer() as server:
        args = ["--server", server.url, "--dcgm", server.url + "/gpus", "--seconds", 1]
        lost_server = run(capsys, "energy", "watch", *args, "--server", "http://127.0.0.1:9")
        lost_gpu = run(capsys, "energy", "watch", *args, "--dcgm", "http://127.0.0.1:9/metrics")

    assert lost_server[0] == lost_gpu[0] == 2
    assert "http://127.0.0.1:9" in lost_server[2]
    assert "http://127.0.0.1:9" in lost_gpu[2]


@pytest.mark.parametrize("again", ["--server", "--dcgm"])
def test_an_address_that_is_given_twice_is_refused(again, capsys):
    with FakeServer() as server:
        address = {"--server": server.url + "/", "--dcgm": server.url + "/gpus"}[again]
        args = ["--server", server.url, "--dcgm", server.url + "/gpus", again, address]
        code, _, err = run(capsys, "energy", "watch", *args, "--seconds", 0.5)

    assert code == 2
    assert "twice" in err
