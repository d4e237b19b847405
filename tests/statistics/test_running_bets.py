import math

import numpy as np
import pytest

from modicum.statistics.betting import last_evidence_above, lower_bound
from modicum.statistics.randomised import effect_figures, next_effect_figure
from modicum.statistics.running_bets import RunningBets


@pytest.fixture
def played():
    rng = np.random.default_rng(1)
    changed = rng.random(600) < 0.7
    values = (rng.random(600) < np.where(changed, 0.6, 0.8)).astype(float)
    return effect_figures(values, changed, 0.7)


@pytest.fixture
def bets(played):
    running = RunningBets()
    for figure, low, high in zip(played.figures, played.lowest, played.highest, strict=True):
        running.add(figure, low, high)
    return running


def test_one_by_one_comes_to_what_all_at_once_come_to(bets, played):
    for place, claim in enumerate(bets.claims):
        above = last_evidence_above(played.figures, played.lowest, claim)
        below = last_evidence_above(-played.figures, -played.highest, -claim)
        assert bets.evidence[:, place] == pytest.approx([above, below])


def test_the_interval_is_that_of_the_bets_on_the_careful_side(bets, played):
    low, high = bets.interval(0.1)
    exact_low = lower_bound(played.figures, played.lowest, 0.05, (-1.0, 1.0))
    exact_high = -lower_bound(-played.figures, -played.highest, 0.05, (-1.0, 1.0))

    assert low <= exact_low < exact_high <= high
    assert high < 0
    assert bets.evidence_below(0.0) >= math.log(20)


def test_packed_and_unpacked_it_is_the_same(bets):
    again = RunningBets.unpack(bets.pack())

    assert again.interval(0.05) == bets.interval(0.05)
    assert RunningBets.unpack(b"").interval(0.05) == (-1.0, 1.0)
    with pytest.raises(ValueError, match=r"reshape|buffer size"):
        RunningBets.unpack(b"others")


def test_a_single_figure_is_that_of_the_list():
    values, changed = [1.0, 0.0, 1.0], [True, False, True]
    figures = effect_figures(values, changed, 0.9)

    centres = [0.5, 2 / 3, 0.5]
    for place, centre in enumerate(centres):
        one = next_effect_figure(values[place], changed=changed[place], share=0.9, centre=centre)
        assert one == pytest.approx((figures.figures[place], figures.lowest[place], figures.highest[place]))


def test_a_figure_beyond_its_bounds_is_refused():
    with pytest.raises(ValueError, match="beyond its bounds"):
        RunningBets().add(3.0, -1.5, 1.5)
