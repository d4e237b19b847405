import math

import numpy as np
import pytest

from modicum.statistics.betting import last_evidence_above
from modicum.statistics.randomised import (
    effect_figures,
    evidence_of_wrong_lot,
    ratio_of_means,
    sequence_radius,
)


@pytest.mark.parametrize("share", [0.5, 0.8])
def test_the_lot_alone_makes_the_bet_fair_however_units_drift_or_hang_together(share):
    """Units that are fixed beforehand (a run of good ones, then of bad ones), every one of them made worse by 0.2: over
    all lots the stake against "worse by 0.2 or more" has the mean 1, and against "no worse" it grows.
    """
    without = np.array([1.0, 1.0, 1.0, 0.9, 0.4, 0.2, 0.2, 0.2, 0.3])
    total = harm = 0.0
    for number in range(2 ** len(without)):
        changed = np.array([bool(number >> place & 1) for place in range(len(without))])
        chance = share ** changed.sum() * (1 - share) ** (~changed).sum()
        parts = effect_figures(np.where(changed, without - 0.2, without), changed, share)
        total += chance * math.exp(last_evidence_above(parts.figures, parts.lowest, -0.2))
        harm += chance * math.exp(last_evidence_above(-parts.figures, -parts.highest, 0.0))

    assert total == pytest.approx(1.0)
    assert harm > 1.05


def test_figures_stay_within_their_bounds_and_have_the_effect_as_mean():
    random = np.random.default_rng(0)
    changed = random.random(20_000) < 0.8
    values = random.random(20_000) * np.where(changed, 0.8, 1.0)
    parts = effect_figures(values, changed, 0.8)

    assert (parts.figures >= parts.lowest).all()
    assert (parts.figures <= parts.highest).all()
    assert parts.figures.mean() == pytest.approx(-0.1, abs=0.02)


@pytest.mark.parametrize(
    ("values", "changed", "share"), [([0.5], [True, False], 0.5), ([2.0], [True], 0.5), ([1], [1], 1)]
)
def test_what_is_no_lot_or_no_share_is_refused(values, changed, share):
    with pytest.raises(ValueError, match=r"equally long|not in 0\.\.1"):
        effect_figures(values, changed, share)


def test_the_ratio_covers_the_truth_at_all_times():
    missed = 0
    for seed in range(100):
        random = np.random.default_rng(seed)
        changed = random.random(1500) < 0.5
        amounts = random.lognormal(8, 1, 1500) * np.where(changed, 0.7, 1.0)
        ratios = [ratio_of_means(amounts[:count], changed[:count]) for count in range(50, 1501, 50)]
        missed += any(one.low is not None and not one.low <= 0.7 <= one.high for one in ratios)

    assert missed <= 7
    assert ratios[-1].high < 1


@pytest.mark.parametrize(
    ("amounts", "changed", "why"),
    [
        ([], [], "nothing to compare"),
        ([1.0] * 10, [True] * 10, "nothing to compare"),
        ([1.0] * 10, [True, False] * 5, "fewer than 20"),
        ([1.0] * 80, [True, False] * 40, "alike"),
        ([1e6] + [1.0] * 79, [True, False] * 40, "outweighs"),
    ],
)
def test_where_there_is_no_interval_it_says_why(amounts, changed, why):
    found = ratio_of_means(amounts, changed)

    assert found.low is None
    assert why in found.no_interval


def test_the_radius_is_wider_than_that_of_one_look_and_shrinks():
    assert sequence_radius(400, 0.05, 400) > 1.96 / 20
    assert sequence_radius(40_000, 0.05, 400) < sequence_radius(400, 0.05, 400) / 5


def test_a_lot_that_was_not_drawn_is_noticed_and_a_right_one_is_not():
    counts = np.random.default_rng(1).binomial(1000, 0.8, 300)

    assert sum(evidence_of_wrong_lot(int(count), 1000, 0.8) > math.log(1000) for count in counts) == 0
    assert evidence_of_wrong_lot(720, 1000, 0.8) > math.log(1000)
    assert evidence_of_wrong_lot(0, 0, 0.5) == pytest.approx(0.0)
