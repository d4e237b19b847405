import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from modicum.energy.block_fit import (
    BlockDesign,
    QuietReading,
    count_blocks,
    measure_memory,
    non_negative_least_squares,
)


@settings(max_examples=60, deadline=None)
@given(
    arrays.arrays(np.float64, (12, 4), elements=st.integers(0, 10).map(float)),
    arrays.arrays(np.float64, 12, elements=st.integers(0, 100).map(float)),
)
def test_the_least_squares_never_go_below_zero_and_no_neighbour_is_better(columns, target):
    best = non_negative_least_squares(columns, target)

    assert (best >= 0).all()
    error = np.linalg.norm(target - columns @ best)
    for index in range(4):
        for step in (-1e-3, 1e-3):
            other = best.copy()
            other[index] = max(0.0, other[index] + step)
            assert np.linalg.norm(target - columns @ other) >= error - 1e-6


def white_noise(count):
    return np.random.default_rng(7).normal(size=count)


def lasting_noise(count, memory):
    fade = np.exp(-1 / memory)
    noise = white_noise(count)
    for place in range(1, count):
        noise[place] = fade * noise[place - 1] + noise[place] * np.sqrt(1 - fade**2)
    return noise


def test_the_memory_of_noise_is_how_long_it_stays():
    assert measure_memory(white_noise(2000)) == pytest.approx(1, abs=0.3)
    assert measure_memory(lasting_noise(4000, 10)) == pytest.approx(20, rel=0.4)
    assert measure_memory(np.zeros(50)) == 1


@pytest.mark.parametrize(
    ("windows", "memory", "blocks"), [(240, 1.0, 16), (240, 5.0, 12), (240, 30.0, 2), (12, 1.0, 6)]
)
def test_blocks_are_longer_than_the_noise_remembers(windows, memory, blocks):
    assert count_blocks(windows, memory) == blocks


def design(noise, blocks=12, quiet=()):
    count = len(noise)
    columns = np.column_stack([np.full(count, 5.0), np.random.default_rng(8).uniform(100, 900, count)])
    return BlockDesign(columns, columns @ [70.0, 2.0] + noise, np.arange(count) * 5.0, quiet, blocks).fit([0, 1])


def test_errors_of_lasting_noise_are_larger_and_those_of_independent_noise_are_the_usual_ones():
    independent, lasting = design(white_noise(2400)), design(lasting_noise(2400, 12))

    assert independent.coefficients == pytest.approx([70, 2], rel=0.01)
    assert lasting.errors[0] > 1.4 * independent.errors[0]
    assert independent.errors[1] == pytest.approx(1 / np.sqrt(2400 * 800**2 / 12), rel=0.6)


def test_idle_power_that_was_measured_is_held_and_its_error_reaches_the_others():
    quiet = [QuietReading(place * 100.0, 5.0, 70 + (3 if place % 2 else -3), place) for place in range(12)]

    found = design(np.zeros(240), quiet=quiet)

    assert found.coefficients[0] == 70
    assert found.errors[1] > 0
