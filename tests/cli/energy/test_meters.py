import pytest

from energy.fake_nvml import FakeGpu, FakeNvml
from modicum.cli.energy.meters import list_untried, open_gpu_sources
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


def test_processors_are_read_beside_the_gpus_where_they_are_asked_for(monkeypatch):
    monkeypatch.setattr("modicum.energy.meters.sysfs.open_processors", lambda: "processors")

    assert [type(source) for source in open_gpu_sources(None, "none", [], cpu=True)] == [LocalGpus]


def test_other_vendors_are_read_by_their_own_meters(monkeypatch):
    opened = []
    monkeypatch.setattr("modicum.energy.meters.amd.library", lambda: "bindings")
    monkeypatch.setattr("modicum.energy.meters.amd.open_amd", lambda *found: opened.append(found))
    monkeypatch.setattr("modicum.energy.meters.sysfs.open_intel_gpus", lambda **found: opened.append(found))

    open_gpu_sources(None, "amd:1", [])
    open_gpu_sources(None, "intel", [])

    assert opened == [("bindings", [1]), {"indexes": None}]


def test_what_nobody_tried_on_hardware_says_so():
    assert [text.partition(" was")[0] for text in list_untried({"nvml", "rapl", "amdsmi"})] == [
        "reading AMD GPUs",
        "reading processors",
    ]
