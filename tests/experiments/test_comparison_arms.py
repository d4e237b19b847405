import pytest

from experiments.sample_results import result
from modicum.experiments.comparison_arms import gather_tasks, is_passed, summarise_arm


def arm(rows, passing=1.0, repeats=None):
    return summarise_arm("a", rows, gather_tasks(rows, passing), passing, repeats)


def test_failures_are_in_what_a_success_takes():
    found = arm([result("a", 1, 1.0, 2.0, 100), result("a", 2, 0.0, 4.0, 300), result("a", 3, 1.0, 3.0, 200)])

    assert (found.tasks, found.runs, found.runs_passed) == (3, 3, 2)
    assert found.success.value == pytest.approx(2 / 3)
    assert found.per_success["cost_usd"].value == 4.5
    assert found.per_success["total_tokens"].value == 300
    assert found.sums["cost_usd"] == 9.0
    assert found.per_run["prompt_tokens"] == 180


def test_a_task_that_ran_often_counts_as_one():
    found = arm([result("a", 1, 1.0)] * 98 + [result("a", 2, 0.0), result("a", 3, 0.0)])

    assert found.success.value == pytest.approx(1 / 3)
    assert found.success.low < 0.1


def test_runs_without_an_outcome_are_in_no_rate_and_in_no_figure_per_success():
    found = arm([result("a", 1, 1.0, 2.0), result("a", 2, None, 50.0)])

    assert (found.runs_without_outcome, found.success.value) == (1, 1.0)
    assert found.per_success["cost_usd"].value == 2.0
    assert found.sums["cost_usd"] == 52.0


def test_what_nobody_knows_is_none():
    found = arm([result("a", 1, None, None, None)])

    assert (found.success.value, found.success.no_interval) == (None, "no outcomes")
    assert found.sums["cost_usd"] is None
    assert found.per_success["cost_usd"].value is None
    assert found.per_success["joules"].no_interval == "not known"
    assert found.runs_counted["cost_usd"] == 0


def test_no_success_has_no_price():
    found = arm([result("a", 1, 0.0), result("a", 2, 0.0)])

    assert found.per_success["cost_usd"].value is None
    assert found.per_success["cost_usd"].no_interval == "no success to divide by"


def test_pass_hat_k_is_for_as_many_runs_as_every_task_has():
    rows = [result("a", 1, 1.0)] * 3 + [result("a", 2, 1.0), result("a", 2, 0.0)]

    assert (arm(rows).pass_hat_k.k, arm(rows).pass_hat_k.value) == (2, 0.5)
    assert (arm(rows, repeats=3).pass_hat_k.tasks, arm(rows, repeats=3).pass_hat_k.value) == (1, 1.0)
    assert arm(rows[:1]).pass_hat_k is None
    assert arm(rows, repeats=9).pass_hat_k is None


def test_partial_outcomes_pass_from_a_threshold_on():
    rows = [result("a", 1, 0.9), result("a", 2, 0.5)]

    assert arm(rows).success.value == 0
    assert arm(rows, passing=0.9).success.value == 0.5
    assert arm(rows).mean_outcome == pytest.approx(0.7)
    assert is_passed(0.1 + 0.2, 0.3)


def test_a_mean_needs_every_run():
    tasks = gather_tasks([result("a", 1, cost=1.0), result("a", 1, cost=None)], 1.0)

    assert tasks["1"].mean("cost_usd") is None
    assert tasks["1"].mean("total_tokens") == 1000
