import asyncio

import pytest

from energy.fake_server import FakeServer
from energy.test_watch import moving_gpu
from modicum.calls import UserError
from modicum.energy.live_watch import LiveWatch
from modicum.energy.watch import LocalGpus
from modicum.energy.watch_log import read_log
from modicum.outbound.client import Outbound
from modicum.outbound.hosts import AllowedHosts


def watched(servers, sources, samples=3, log_path=None):
    """A watch over so many samples: itself, the windows that it closed, and how many samples came."""
    windows, seen = [], []

    async def go():
        watch = LiveWatch(servers, sources, 0.01, log_path)
        await watch.start("own")
        stop = asyncio.Event()

        def on_sample(_tally, sample):
            seen.append(sample)
            if len(seen) >= samples:
                stop.set()

        async with Outbound(AllowedHosts(servers), timeout_s=10) as client:
            await watch.run(client, stop, windows.extend, on_sample)
        return watch

    return asyncio.run(go()), windows, seen


def test_a_watch_logs_what_it_saw_and_closes_its_windows(tmp_path):
    path = tmp_path / "run.jsonl"
    with FakeServer() as server:
        watch, windows, seen = watched((server.url,), [LocalGpus(moving_gpu())], log_path=path)

    assert len(read_log(path).samples) == len(seen) == 3
    assert [fact.gpu for fact in watch.facts] == list(read_log(path).gpus)
    assert all(window.provider == "own" for window in windows)
    assert watch.tally.report() is not None


def test_a_log_is_never_written_over(tmp_path):
    path = tmp_path / "run.jsonl"
    path.write_text("kept")

    with FakeServer() as server, pytest.raises(UserError, match="never overwritten"):
        watched((server.url,), [LocalGpus(moving_gpu())], log_path=path)
    assert path.read_text() == "kept"


def test_a_server_that_does_not_answer_leaves_no_log_behind(tmp_path):
    with pytest.raises(UserError, match="no answer"):
        watched(("http://127.0.0.1:9",), [LocalGpus(moving_gpu())], log_path=tmp_path / "run.jsonl")

    assert not (tmp_path / "run.jsonl").exists()


@pytest.mark.parametrize(
    ("servers", "gpus", "says"),
    [
        (("http://a:1", "http://a:1/metrics"), 1, "--server"),
        (("http://a:1",), 2, "GPU"),
        (("http://a:1",), 0, "no source of energy"),
    ],
)
def test_what_would_count_twice_or_not_at_all_is_refused(servers, gpus, says):
    with pytest.raises(UserError, match=says):
        asyncio.run(LiveWatch(servers, [LocalGpus(moving_gpu())] * gpus, 1.0).start(""))
