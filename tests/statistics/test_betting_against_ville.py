"""The gate's statistics beside those of an independent library, `ville`, on the same figures."""

import math

import numpy as np
import pytest
import ville
from ville import _boundaries

from modicum.statistics.betting import evidence_above, lower_bound
from modicum.statistics.randomised import effect_figures, sequence_radius

ERROR = 0.05


def lot(seed, effect, count=3_000, base=0.8):
    random = np.random.default_rng(seed)
    changed = random.random(count) < 0.5
    return (random.random(count) < base + effect * changed).astype(float), changed


@pytest.mark.parametrize("count", [20, 50, 400, 5_000, 1_000_000])
def test_the_radius_of_the_asymptotic_sequence_is_that_of_the_normal_mixture(count):
    strength = (-2 * math.log(ERROR) + math.log(-2 * math.log(ERROR) + 1)) / 400
    theirs = _boundaries.normal_mixture(count, ERROR, 1 / strength) / count

    assert sequence_radius(count, ERROR, 400) == pytest.approx(float(theirs), rel=1e-9)


def test_it_is_tuned_as_theirs_is():
    best = ville.AsymptoticCS(alpha=ERROR, t_opt=400).rho_

    assert sequence_radius(400, ERROR, 400) == pytest.approx(
        float(_boundaries.normal_mixture(400, ERROR, best)) / 400, rel=0.001
    )


@pytest.mark.parametrize("seed", range(6))
def test_intervals_of_an_effect_by_betting_agree(seed):
    values, changed = lot(seed, -0.1)
    parts = effect_figures(values, changed, 0.5)
    theirs = ville.BettingABTest(alpha=2 * ERROR, propensity=0.5)
    theirs.update(values, changed)
    low, high = theirs.interval()
    ours = (
        lower_bound(parts.figures, parts.lowest, ERROR, (-1.0, 1.0)),
        -lower_bound(-parts.figures, -parts.highest, ERROR, (-1.0, 1.0)),
    )

    assert ours == pytest.approx((low, high), abs=0.03)
    assert ours[0] < -0.1 < ours[1]


def test_harm_is_found_after_as_many_tasks_as_theirs_finds_it():
    ours, theirs = [], []
    for seed in range(20):
        values, changed = lot(seed, -0.1)
        parts = effect_figures(values, changed, 0.5)
        grown = evidence_above(-parts.figures, -parts.highest, 0.0) >= -math.log(ERROR)
        ours.append(int(np.argmax(grown)) if grown.any() else len(values))
        test = ville.BettingTest(m0=0.0, bounds=(-2.0, 2.0), alternative="less", alpha=ERROR)
        test.update(parts.figures)
        theirs.append(test.stopping_time() or len(values))

    assert np.median(ours) == pytest.approx(float(np.median(theirs)), rel=0.3)


def test_neither_finds_harm_where_there_is_none_more_often_than_one_in_twenty():
    ours = theirs = 0
    for seed in range(100):
        values, changed = lot(seed, 0.0, 1_500)
        parts = effect_figures(values, changed, 0.5)
        ours += bool((evidence_above(-parts.figures, -parts.highest, 0.0) >= -math.log(ERROR)).any())
        test = ville.BettingTest(m0=0.0, bounds=(-2.0, 2.0), alternative="less", alpha=ERROR)
        test.update(parts.figures)
        theirs += bool(test.rejected_)

    assert ours <= 5
    assert theirs <= 5
