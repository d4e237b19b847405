import numpy as np
import pytest

from modicum.reports.forecast.anomalies import find_anomaly

WEEK = [100.0, 110, 95, 105, 100, 8, 5]


def test_a_day_far_above_its_usual_one_is_an_anomaly():
    found = find_anomaly([*WEEK * 6, 400.0], 20)

    assert found.usd == 400
    assert found.expected_usd == pytest.approx(100, rel=0.15)
    assert found.more_usd == pytest.approx(300, rel=0.1)


def test_a_saturday_is_judged_as_a_saturday():
    days = [*WEEK * 6, *WEEK[:5]]

    assert find_anomaly([*days, 100.0], 20) is not None
    assert find_anomaly([*days, 9.0], 20) is None


@pytest.mark.parametrize(
    ("days", "floor"), [([0.1] * 30 + [5.0], 20), ([1.0] * 14, 1), (WEEK * 6, 20), ([0.0] * 30, 1)]
)
def test_small_sums_short_histories_and_usual_days_are_none(days, floor):
    assert find_anomaly(days, floor) is None


def test_who_never_spent_and_then_does_is_one():
    assert find_anomaly([*[0.0] * 30, 50.0], 20) is not None


def test_ordinary_scatter_seldom_alarms():
    chance = np.random.default_rng(5)
    days = 100 * np.exp(chance.normal(0, 0.3, 400))

    assert sum(find_anomaly(days[: day + 1], 20) is not None for day in range(60, 400)) <= 2
