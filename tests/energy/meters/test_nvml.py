import pytest

from energy.fake_nvml import FakeClock, FakeGpu, FakeNvml, steady_counter
from modicum.calls import UserError
from modicum.energy.meters import nvml
from modicum.energy.meters.nvml import NvmlMeter


def meter(*gpus, indexes=None, at=1.03, **library):
    clock = FakeClock(at)
    return NvmlMeter(FakeNvml(list(gpus), clock, **library), indexes, clock, clock.sleep), clock


def test_the_stand_in_has_only_names_of_the_real_library():
    import pynvml

    offered = [name for name in dir(FakeNvml) if name.startswith(("nvml", "NVML"))]

    assert [name for name in offered if not hasattr(pynvml, name)] == []
    assert all(
        getattr(pynvml, name) == getattr(FakeNvml, name) for name in offered if isinstance(getattr(FakeNvml, name), int)
    )


def test_a_reading_is_taken_on_the_edge_of_the_counter():
    found, _ = meter(FakeGpu(counter=steady_counter(300, 10)))

    (reading,) = found.read()

    assert reading.at == pytest.approx(1.1, abs=0.003)
    assert reading.energy_joules == pytest.approx(5000 + 300 * 1.1)
    assert reading.power_watts == 300
    assert reading.power_limit_watts == 700


def test_a_counter_that_does_not_move_is_read_as_it_stands():
    found, clock = meter(FakeGpu(counter=[(0.0, 7_000_000)]))

    (reading,) = found.read()

    assert reading.energy_joules == 7000
    assert clock.at < 1.3


def test_several_gpus_are_read_each_on_its_own_edge():
    slow = [(0.05 + n * 0.1, 1_000_000 + n * 10_000) for n in range(50)]
    found, _ = meter(FakeGpu(uuid="A", counter=steady_counter(100, 10)), FakeGpu(uuid="B", counter=slow))

    first, second = found.read()

    assert (first.gpu, second.gpu) == ("A", "B")
    assert first.at == pytest.approx(1.1, abs=0.003)
    assert second.at == pytest.approx(1.05, abs=0.003)


def test_only_the_named_gpus_are_read():
    found, _ = meter(FakeGpu(uuid="A", counter=[(0, 1)]), FakeGpu(uuid="B", counter=[(0, 1)]), indexes=[1])

    assert [facts.gpu for facts in found.facts()] == ["B"]


def test_a_gpu_without_a_counter_is_read_by_its_power_and_says_so():
    found, _ = meter(FakeGpu(counter=None))

    (facts,), (reading,) = found.facts(), found.read()

    assert facts.has_energy_counter is False
    assert reading.energy_joules is None
    assert reading.power_watts == 300


def test_a_gpu_that_is_lost_on_the_way_is_left_out():
    gpu = FakeGpu(counter=steady_counter(300, 10))
    found, _ = meter(gpu)
    gpu.lost = True

    assert found.read() == ()


def test_clocks_that_are_held_down_are_named():
    found, _ = meter(FakeGpu(counter=steady_counter(300, 10), reasons=0x4 | 0x40))

    assert found.read()[0].slowed_by == ("heat", "power cap")


def test_other_processes_on_a_gpu_are_counted():
    found, _ = meter(FakeGpu(counter=[(0, 1)], processes=3))

    assert found.facts()[0].contended_by == 2


@pytest.mark.parametrize(
    ("gpus", "options", "says"),
    [
        ([], {"missing": True}, "--gpus all"),
        ([], {"denied": True}, "may not read it"),
        ([], {}, "this machine has no NVIDIA GPU"),
        ([FakeGpu(counter=[(0, 1)])], {"indexes": [3]}, "there is no GPU 3; this machine has 1"),
        ([FakeGpu(counter=[(0, 1)], mig=True)], {}, "partitioned \\(MIG\\)"),
        ([FakeGpu(counter=None, power_mw=None)], {}, "neither energy nor power"),
    ],
)
def test_what_cannot_be_read_is_refused_with_the_reason(gpus, options, says):
    with pytest.raises(UserError, match=says):
        meter(*gpus, **options)


def test_the_real_library_is_recognised():
    assert hasattr(nvml.library(), "nvmlInit")


def test_another_package_under_the_same_name_is_not(monkeypatch):
    import sys
    import types

    monkeypatch.setitem(sys.modules, "pynvml", types.ModuleType("pynvml"))

    with pytest.raises(UserError, match="is not NVIDIA's"):
        nvml.library()
