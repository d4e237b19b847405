import pytest

from energy.fake_nvml import FakeGpu, FakeNvml
from modicum.cli.energy.meters import open_gpu_sources
from modicum.energy.watch import LocalGpus, RemoteGpus


@pytest.mark.parametrize(
    ("gpus", "urls", "kinds"),
    [
        ("all", [], [LocalGpus]),
        ("0", ["http://n1:9400/metrics"], [RemoteGpus, LocalGpus]),
        ("all", ["http://n1:9400/metrics", "http://n2:9400/metrics"], [RemoteGpus, RemoteGpus]),
        ("none", [], []),
    ],
)
def test_options_choose_where_energy_is_read(gpus, urls, kinds, monkeypatch):
    monkeypatch.setattr("modicum.energy.meters.nvml.library", lambda: FakeNvml([FakeGpu(counter=[(0.0, 1)])]))

    assert [type(source) for source in open_gpu_sources(None, gpus, urls)] == kinds
