import pytest

from experiments.sample_results import result, saver
from modicum.experiments.comparison_arms import gather_tasks
from modicum.experiments.comparison_pairs import ComparisonRules, compare_pair


def pair(rows, comparisons=1, **rules):
    tasks = {name: gather_tasks([row for row in rows if row.arm == name], 1.0) for name in ("plain", "saver")}
    return compare_pair("plain", "saver", tasks, ComparisonRules(**rules), comparisons=comparisons)


def test_a_saver_that_saves_is_seen_and_is_not_worse():
    found = pair(saver(100, ratio=0.7))

    cost = found.ratios["cost_usd"]
    assert cost.value == pytest.approx(0.7, abs=0.01)
    assert cost.low <= cost.low < 0.7 < cost.high <= cost.high
    assert (cost.direction, cost.direction_among_all) == (-1, -1)
    assert found.success.is_not_worse
    assert found.success.all_equal


def test_few_tasks_without_any_failure_do_not_prove_that_outcomes_are_the_same():
    found = pair(saver(12))

    assert found.success.low < -0.1
    assert not found.success.is_not_worse
    assert found.success.tasks_needed == 54


def test_so_many_tasks_do_prove_it():
    assert pair(saver(54)).success.is_not_worse
    assert not pair(saver(53)).success.is_not_worse


def test_only_common_tasks_count():
    rows = [*saver(20), result("plain", "x", 0.0, 1e6), result("saver", "y", 0.0, 1e9)]

    found = pair(rows)

    assert (found.tasks, found.tasks_of_arm_alone, found.tasks_of_baseline_alone) == (20, 1, 1)
    assert found.ratios["cost_usd"].value < 1
    assert found.success.value == 0


def test_a_typical_task_and_the_bill_must_agree():
    rows = []
    for task in range(60):
        big = task == 0
        rows.append(result("plain", task, cost=1000.0 if big else 1.0))
        rows.append(result("saver", task, cost=3000.0 if big else 0.5 + task % 3 / 20))

    cost = pair(rows).ratios["cost_usd"]

    assert cost.high < 1 < cost.of_sums
    assert cost.direction == 0


def test_one_of_many_needs_more_evidence():
    rows = [
        row for task in range(12) for row in (result("plain", task), result("saver", task, cost=(0.6, 1.05)[task % 2]))
    ]

    assert pair(rows).ratios["cost_usd"].direction == -1
    assert pair(rows, comparisons=50).ratios["cost_usd"].direction_among_all == 0


def test_groups_widen_the_interval():
    def rows(group):
        return [
            row
            for task in range(40)
            for row in (
                result("plain", task, float(task % 8 < 4), group=group(task)),
                result("saver", task, 1.0, cost=1 + task % 8, group=group(task)),
            )
        ]

    alone, together = pair(rows(lambda _: "")), pair(rows(lambda task: f"g{task % 8}"))

    width = lambda found: found.ratios["cost_usd"].high / found.ratios["cost_usd"].low  # noqa: E731
    assert width(together) > width(alone)
    assert together.success.low < alone.success.low


def test_tasks_of_several_runs_are_compared_by_their_means():
    rows = [result("plain", 1, 1.0, 1.0), result("plain", 1, 0.0, 3.0), result("saver", 1, 1.0, 1.0)]

    found = pair(rows)

    assert found.success.value == 0.5
    assert found.ratios["cost_usd"].value == 0.5
    assert "one task" in found.ratios["cost_usd"].no_interval
    assert found.most_runs == 2


def test_what_a_success_costs_has_failures_in_it():
    rows = saver(200, ratio=0.9, outcome=lambda arm, task: 1.0 if arm == "plain" else float(task % 2))

    found = pair(rows)

    assert found.cost_per_success_ratio.value == pytest.approx(1.8, abs=0.05)
    assert found.cost_per_success_ratio.direction == 1
    assert found.success.high < 0


def test_without_outcomes_there_is_no_difference():
    assert pair(saver(10, outcome=lambda _arm, _task: None)).success is None
