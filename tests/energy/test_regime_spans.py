import msgspec
import pytest

from energy.simulated_server import Truth, bursts, simulate
from modicum.energy.regime_spans import STRETCH_S, cut_by_regime
from modicum.energy.sample_intervals import measure_intervals


def intervals_of(truth, at=0.0, regime="a"):
    found = measure_intervals(simulate(truth, 300, 1, rate=bursts), "sim").intervals
    return [msgspec.structs.replace(one, start=one.start + at, end=one.end + at, regime=regime) for one in found]


def test_each_regime_has_a_law_of_its_own():
    found = cut_by_regime([*intervals_of(Truth()), *intervals_of(Truth(per_step=5.2), 1000, "b")])

    assert [stretch.regime for stretch in found] == ["a", "b"]
    assert [stretch.law.coefficients[1] for stretch in found] == pytest.approx([2.6, 5.2], rel=0.15)


def test_a_regime_that_comes_back_goes_on():
    found = cut_by_regime([*intervals_of(Truth()), *intervals_of(Truth(), 1000, "b"), *intervals_of(Truth(), 2000)])

    assert [(stretch.regime, round(stretch.seconds, -1)) for stretch in found] == [("a", 600), ("b", 300)]


def test_a_month_is_cut_into_weeks_that_lose_nothing():
    months = [one for week in range(4) for one in intervals_of(Truth(), week * STRETCH_S * 1.2)]
    found = cut_by_regime(months)

    assert len(found) == 3
    assert [one for stretch in found for one in stretch.intervals] == months


def test_too_little_has_no_law():
    (found,) = cut_by_regime(intervals_of(Truth())[:10])

    assert found.law is None
    assert found.end - found.start == pytest.approx(found.seconds)
