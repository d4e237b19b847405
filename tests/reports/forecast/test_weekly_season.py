import numpy as np
import pytest

from modicum.reports.forecast.weekly_season import fit_weekly_season

WEEK = [10.0, 10, 10, 10, 10, 2, 4]


def test_a_season_that_repeats_is_found():
    season = fit_weekly_season(WEEK * 8)

    assert season.level == pytest.approx(8, rel=0.02)
    assert season.expect(56, 7) == pytest.approx(WEEK, rel=0.4)
    assert season.factors.mean() == pytest.approx(1)


def test_the_level_follows_the_last_weeks_and_growth_is_no_season():
    days = 100 * np.exp(0.01 * np.arange(70))

    season = fit_weekly_season(days)

    assert season.level > np.mean(days)
    assert season.factors == pytest.approx(np.ones(7), abs=0.01)


@pytest.mark.parametrize("days", [[], [0.0] * 30])
def test_without_spend_nothing_is_expected(days):
    assert fit_weekly_season(days).expect(len(days), 3).sum() == 0


def test_a_few_days_have_a_level_and_no_season():
    assert fit_weekly_season([4.0, 4, 4]).expect(3, 2) == pytest.approx([4, 4])
