import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from energy.simulated_server import Truth, bursts, simulate
from modicum.energy.energy_split import fit_split, measure_idle_watts, non_negative_least_squares
from modicum.energy.sample_intervals import measure_intervals
from modicum.energy.window_cutter import cut_windows


def found(seconds=1800, seed=1, **load):
    measured = measure_intervals(simulate(Truth(), seconds, seed, **load), "sim")
    return fit_split(measured.intervals, cut_windows(measured.intervals)), measured


@pytest.mark.parametrize("seed", [1, 2])
def test_varying_load_gives_all_four_terms_within_five_per_cent(seed):
    result, _ = found(seed=seed, rate=bursts)

    assert result.idle.value == pytest.approx(75.0, rel=0.05)
    assert result.per_step.value == pytest.approx(2.6, rel=0.05)
    assert result.per_prompt.value == pytest.approx(0.020, rel=0.05)
    assert result.per_generated.value == pytest.approx(0.055, rel=0.05)
    assert result.idle.basis == "measured"
    assert result.window_error < 0.02


def test_prompt_tokens_from_the_cache_cost_nothing():
    result, _ = found(rate=bursts, cached_share=0.8)

    assert result.per_prompt.value == pytest.approx(0.020, rel=0.05)


def test_light_load_that_seldom_stops_gives_idle_by_the_fit():
    result, _ = found(rate=lambda at: 3 + 2 * math.sin(at / 23))

    assert result.idle.basis == "fitted"
    assert result.idle.value == pytest.approx(75.0, abs=3 * result.idle.error)


@pytest.mark.parametrize("closed", [8, 64])
def test_constant_load_leaves_idle_and_steps_open(closed):
    result, _ = found(seconds=600, closed=closed)

    assert result.idle.value is None
    assert result.per_step.value is None
    assert "vary the load" in result.idle.reason


def test_too_few_windows_give_no_split():
    assert found(seconds=40, rate=bursts)[0] is None


def test_without_steps_the_shared_part_is_watts_while_busy():
    import msgspec

    samples = [
        msgspec.structs.replace(s, servers=(msgspec.structs.replace(s.servers[0], steps=None),))
        for s in simulate(Truth(), 900, 1, rate=bursts)
    ]
    measured = measure_intervals(samples, "sim")
    result = fit_split(measured.intervals, cut_windows(measured.intervals))

    assert result.counts_steps is False
    assert result.per_step.unit == "W while busy"


def test_no_prompt_at_all_is_said():
    import msgspec

    samples = [
        msgspec.structs.replace(
            s, servers=(msgspec.structs.replace(s.servers[0], prompt_tokens=0.0, cached_tokens=0.0),)
        )
        for s in simulate(Truth(per_prompt=0.0), 600, 1, rate=bursts)
    ]
    measured = measure_intervals(samples, "sim")

    assert (
        "there was no prompt tokens" in fit_split(measured.intervals, cut_windows(measured.intervals)).per_prompt.reason
    )


def test_idle_power_needs_quiet_time():
    measured = measure_intervals(simulate(Truth(), 120, 1, closed=4), "sim")

    assert measure_idle_watts(measured.intervals) is None


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
