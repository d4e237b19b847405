from datetime import UTC, datetime, timedelta

from experiments.sample_results import result
from modicum.experiments.comparison_times import describe_times

START = datetime(2026, 3, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


def runs(arm, count, first=0, outcome=lambda _: 1.0, **fields):
    return [
        result(arm, number, outcome(number), started_at=START + (first + number) * HOUR, **fields)
        for number in range(count)
    ]


def described(*arms):
    return describe_times({of_arm[0].arm: of_arm for of_arm in arms}, arms[0][0].arm)


def test_arms_that_ran_after_one_another_are_named_with_their_times():
    (remark,) = described(runs("a", 30), runs("b", 30, first=100))

    assert remark.startswith("b ran from 2026-03-05 04:00 to 2026-03-06 09:00, a from 2026-03-01 00:00")
    assert "is in every difference" in remark


def test_arms_that_ran_by_turns_are_not():
    assert described(runs("a", 30), runs("b", 30, first=0.5)) == []
    assert described(runs("a", 30), runs("b", 30, first=10)) == []
    assert described(runs("a", 1), runs("b", 1)) == []


def test_outcomes_that_went_up_or_down_on_the_way_are_named():
    (remark,) = described(runs("a", 100, outcome=lambda n: float(n < 50 or n % 2)))

    assert remark.startswith("a drifts: its mean outcome went from 1 in the earlier half of its runs to 0.5")


def test_few_runs_runs_of_one_moment_and_chance_are_no_drift():
    assert described(runs("a", 30, outcome=lambda n: float(n < 15))) == []
    assert described([result("a", n, float(n < 50), started_at=START) for n in range(100)]) == []
    assert described(runs("a", 100, outcome=lambda n: float(n % 3 > 0))) == []


def test_a_source_without_times_is_not_spoken_of():
    assert described([result("a", 1)], runs("b", 3)) == []
