from modicum.energy.meters.counted_devices import CountedDevice, DeviceMeter, Unwrapped
from modicum.energy.samples import GpuFacts


def test_a_reading_is_dated_between_asking_and_answer():
    moments = iter([10.0, 10.4])
    device = CountedDevice(GpuFacts("a", "A", "rapl", has_energy_counter=True), lambda: 5.0, lambda: None, lambda: 80.0)

    (reading,) = DeviceMeter([device], clock=lambda: next(moments)).read()

    assert (reading.at, reading.energy_joules, reading.power_limit_watts) == (10.2, 5.0, 80.0)


def test_a_silent_device_is_left_out():
    device = CountedDevice(GpuFacts("a", "A", "rapl", has_energy_counter=True), lambda: None, lambda: 3.0, lambda: None)

    assert DeviceMeter([device]).read() == ()


def test_a_counter_that_wraps_goes_on_and_one_that_does_not_answer_says_nothing():
    values = iter([8.0, 9.5, None, 0.5, 1.0])
    counter = Unwrapped(lambda: next(values), 10.0)

    assert [counter() for _ in range(5)] == [8.0, 9.5, None, 10.5, 11.0]
