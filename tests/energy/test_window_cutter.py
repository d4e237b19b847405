from itertools import pairwise

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from energy.simulated_server import Truth, bursts, simulate
from energy.test_sample_intervals import sample
from modicum.energy.sample_intervals import measure_intervals
from modicum.energy.window_cutter import cut_windows, join_intervals


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 1000))
def test_windows_are_five_seconds_or_longer_and_lose_nothing_but_their_ends(seed):
    measured = measure_intervals(simulate(Truth(), 60, seed, rate=bursts), "sim")

    found = cut_windows(measured.intervals)

    assert all(window.seconds >= 5.0 for window in found)
    whole = join_intervals(measured.intervals)
    assert sum(window.joules for window in found) <= whole.joules * (1 + 1e-9)
    assert all(first.end <= second.start + 1e-9 for first, second in pairwise(found))


def test_the_same_samples_are_cut_the_same_way_twice():
    samples = simulate(Truth(), 120, 3, rate=bursts)

    assert cut_windows(measure_intervals(samples, "a").intervals) == cut_windows(
        measure_intervals(samples, "b").intervals
    )


def test_a_pause_begins_a_new_window():
    quiet = [sample(n, tokens=60.0, steps=6, running=0.0) for n in range(7, 20)]
    busy = [sample(n, tokens=10.0 * n, steps=n) for n in range(7)]

    found = cut_windows(measure_intervals([*busy, *quiet], "log").intervals)

    assert [window.quiet for window in found] == [False, True]


def test_with_short_windows_kept_all_that_was_measured_is_in_one():
    intervals = measure_intervals(simulate(Truth(), 120, 1, rate=bursts), "sim").intervals

    kept = cut_windows(intervals, keep_short=True)

    assert sum(window.joules for window in kept) == pytest.approx(sum(interval.joules for interval in intervals))
    assert {window for window in kept if window.seconds >= 5} >= set(cut_windows(intervals))


def test_a_change_of_regime_begins_a_new_window():
    intervals = measure_intervals(simulate(Truth(), 60, 1, rate=bursts), "sim").intervals
    changed = [msgspec.structs.replace(one, regime="b") if n > 20 else one for n, one in enumerate(intervals)]

    assert {window.regime for window in cut_windows(changed, keep_short=True)} == {intervals[0].regime, "b"}
