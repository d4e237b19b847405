import asyncio

import pytest

from energy.fake_nvml import FakeGpu, FakeNvml
from energy.fake_server import FakeServer
from modicum.calls import UserError
from modicum.energy.meters.nvml import NvmlMeter
from modicum.energy.watch import LocalGpus, RemoteGpus, Watcher, complete_metrics_url
from modicum.energy.watch_totals import make_report
from modicum.outbound.client import Outbound
from modicum.outbound.hosts import AllowedHosts

EXPORTER = 'DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION{gpu="0",UUID="GPU-a",modelName="NVIDIA L4"} %d\n'


def moving_gpu():
    """A GPU at 300 W by the machine's own clock."""
    import time

    start = time.monotonic()

    class Counter(list):
        def __getitem__(self, _):
            return (0.0, int((time.monotonic() - start) * 300_000))

    return NvmlMeter(FakeNvml([FakeGpu(counter=Counter([(0.0, 0)]))]))


async def sampled(server, sources, count, client=None):
    stop = asyncio.Event()
    found = []
    async with client or Outbound(AllowedHosts([server])) as opened:
        async for sample in Watcher(opened, [server], sources).samples(0.02, stop):
            found.append(sample)
            if len(found) == count:
                stop.set()
    return found


def test_a_live_server_and_gpu_are_sampled_together():
    async def go(server):
        async with Outbound(AllowedHosts([server.url])) as client:
            asked = {"prompt": "a b c", "max_tokens": 40}
            stream = asyncio.create_task(drain(client.post_lines(server.url + "/v1/completions", asked, {})))
            found = await sampled(server.url, [LocalGpus(moving_gpu())], 4)
            await stream
        return found

    async def drain(lines):
        return [line async for line in lines]

    with FakeServer() as server:
        samples = asyncio.run(go(server))

    found = make_report(samples, "live")
    assert found.problems == ()
    assert found.figures.mean_watts == pytest.approx(300, rel=0.05)
    assert found.figures.generated_tokens > 0
    assert len(samples[0].gpus) == 2


def test_a_server_that_is_not_there_is_told_at_once():
    with pytest.raises(UserError, match="is the server running"):
        asyncio.run(sampled("http://127.0.0.1:9", [], 1))


def test_another_page_is_told_at_once():
    with FakeServer(kind=None) as server, pytest.raises(UserError, match="no metrics of a known server"):
        asyncio.run(sampled(server.url, [], 1))


def test_a_page_that_is_no_metrics_for_a_while_does_not_end_the_watch():
    class Restarting(Outbound):
        asked = 0

        async def get(self, url):
            self.asked += 1
            return b"<html>starting" if self.asked == 2 else await super().get(url)

    with FakeServer() as server:
        client = Restarting(AllowedHosts([server.url]))
        samples = asyncio.run(sampled(server.url, [LocalGpus(moving_gpu())], 4, client))

    assert "cannot be read" in samples[1].missing[0]
    assert len(samples) == 4


def test_a_server_that_goes_away_is_missing_and_the_watch_goes_on():
    class Going(Outbound):
        asked = 0

        async def get(self, url):
            self.asked += 1
            if self.asked == 2:
                url = url.replace("/metrics", "/nothing")
            return await super().get(url)

    with FakeServer() as server:
        client = Going(AllowedHosts([server.url]))
        samples = asyncio.run(sampled(server.url, [LocalGpus(moving_gpu())], 4, client))

    assert "status 404" in samples[1].missing[0]
    assert any("did not answer" in str(problem) for problem in make_report(samples, "live").problems)


def test_an_exporters_old_figures_are_not_read_twice():
    class Pages:
        pages = iter([EXPORTER % 1000, EXPORTER % 1000, EXPORTER % 4000])

        async def get(self, _):
            return next(self.pages).encode()

    async def go():
        gpus = RemoteGpus(Pages(), "http://n1:9400/metrics")
        return [await gpus.read() for _ in range(3)]

    first, second, third = asyncio.run(go())

    assert first[0].energy_joules == 1.0
    assert second == ()
    assert third[0].energy_joules == 4.0


def test_an_exporter_that_serves_something_else_is_told():
    class Page:
        async def get(self, _):
            return b"<html>"

    with pytest.raises(UserError, match="not a metrics page"):
        asyncio.run(RemoteGpus(Page(), "http://n1:9400/metrics").facts())


@pytest.mark.parametrize(
    ("server", "url"),
    [
        ("http://h:8000", "http://h:8000/metrics"),
        ("http://h:8000/", "http://h:8000/metrics"),
        ("http://h:8000/metrics?model=a", "http://h:8000/metrics?model=a"),
    ],
)
def test_metrics_are_asked_for_where_they_usually_are(server, url):
    assert complete_metrics_url(server) == url
