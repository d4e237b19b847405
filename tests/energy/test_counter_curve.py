import pytest
from hypothesis import given
from hypothesis import strategies as st

from modicum.energy.counter_curve import CounterCurve
from modicum.energy.samples import GpuReading


def curve(*points, power=200.0):
    return CounterCurve([GpuReading("G", at, energy_joules=joules, power_watts=power) for at, joules in points])


def test_joules_are_interpolated_between_readings():
    assert curve((0, 100), (10, 1100), (20, 1300)).joules_between(5, 15) == 500 + 100


def test_outside_of_the_readings_nothing_is_known():
    assert curve((0, 100), (10, 1100)).joules_between(5, 11) is None


@given(
    st.lists(st.tuples(st.floats(0.01, 2.5), st.floats(0.1, 1e4)), min_size=2, max_size=20),
    st.floats(0, 1),
    st.floats(0, 1),
)
def test_parts_add_up_to_the_whole(steps, first, second):
    points, at, joules = [(0.0, 0.0)], 0.0, 0.0
    for seconds, more in steps:
        at, joules = at + seconds, joules + more
        points.append((at, joules))
    low, high = sorted((first * at, second * at))
    found = curve(*points)

    parts = found.joules_between(0, low) + found.joules_between(low, high) + found.joules_between(high, at)

    assert parts == pytest.approx(joules)


def test_a_reset_makes_a_gap_and_no_negative_energy():
    found = curve((0, 500), (1, 600), (2, 10), (3, 110))

    assert found.joules_between(0.5, 2.5) is None
    assert found.joules_between(2, 3) == 100
    assert "was reset" in found.gap_in(1, 2).reason


def test_a_counter_that_stands_still_is_told():
    found = curve(*[(n, 100.0) for n in range(6)], (6, 300))

    assert "did not change" in found.gap_in(1, 2).reason


def test_a_clock_that_goes_back_is_a_gap():
    assert "clock went back" in curve((0, 0), (5, 100), (3, 200), (6, 300)).gap_in(4, 5).reason


def test_without_a_counter_power_is_summed_up():
    found = CounterCurve([GpuReading("G", at, power_watts=watts) for at, watts in ((0, 100), (1, 300), (2, 300))])

    assert found.counted is False
    assert found.joules_between(0, 2) == 200 + 300


def test_missing_power_is_a_gap():
    found = CounterCurve([GpuReading("G", 0, power_watts=100), GpuReading("G", 1), GpuReading("G", 2, power_watts=100)])

    assert found.joules_between(0, 2) is None
