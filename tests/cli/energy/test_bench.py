import pytest

from energy.command import run, run_json
from energy.fake_server import FakeServer
from energy.law_points import dense, made
from energy.test_watch import moving_gpu
from modicum.calls import UserError
from modicum.cli.energy.bench import draw_picture
from modicum.energy.bench import FORMAT, BenchResult


@pytest.fixture
def gpu(monkeypatch):
    monkeypatch.setattr("modicum.energy.meters.nvml.library", lambda: moving_gpu()._nvml)


def test_a_server_is_loaded_and_its_points_are_kept_and_drawn(gpu, tmp_path, capsys):
    with FakeServer() as server:
        code, out, _ = run(
            capsys, "energy", "bench", "--server", server.url, "--model", "m", "--concurrency", "1,3", "--repeats", 1,
            "--prompt-tokens", 40, "--output-tokens", 20, "--seconds", 1, "--within-ms", 50,
            "--out", tmp_path / "points.json", "--picture", tmp_path / "trade.svg",
        )  # fmt: skip

    assert code == 0
    assert "fastest for each user: " in out
    assert "cheapest within 50 ms: concurrency 3," in out
    assert "most tokens per watt: concurrency 3," in out
    assert (tmp_path / "trade.svg").read_text().startswith("<svg")
    assert server.asked[-1][0]["model"] == "m"


def test_without_a_gpu_times_are_measured_and_energy_is_unknown(capsys, monkeypatch):
    monkeypatch.setenv("SERVER_KEY", "secret")
    with FakeServer() as server:
        code, found = run_json(
            capsys, "energy", "bench", "--server", server.url, "--model", "m", "--concurrency", "2", "--repeats", 1,
            "--output-tokens", 10, "--seconds", 1, "--gpu", "none", "--key-from", "SERVER_KEY", "--chat",
        )  # fmt: skip

    assert code == 0
    assert found["curve"][0]["joules_per_generated_token"] is None
    assert found["choices"]["most_tokens_per_watt"] is None
    assert found["curve"][0]["tokens_per_second"] > 100
    assert server.asked[-1][1]["Authorization"] == "Bearer secret"


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["--concurrency", "1,x"], "write 1,8,64"),
        (["--key-from", "NO_SUCH_VARIABLE"], "is empty"),
        (["--gpu", "none"], "is the server running"),
    ],
)
def test_what_cannot_be_benched_is_told(args, says, capsys):
    code, _, err = run(capsys, "energy", "bench", "--server", "http://127.0.0.1:9", "--model", "m", *args)

    assert code == 2
    assert says in err


def test_a_picture_needs_energy(tmp_path):
    with pytest.raises(UserError, match="nothing to draw"):
        draw_picture(tmp_path / "a.svg", BenchResult(FORMAT, "m", (), (made(1, None),)), None)

    draw_picture(tmp_path / "b.svg", BenchResult(FORMAT, "m", (), tuple(dense())), 12)
    assert "limit 12 ms" in (tmp_path / "b.svg").read_text()
