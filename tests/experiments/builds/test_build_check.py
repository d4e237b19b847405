import pytest

from modicum.calls.task_result import TaskResult
from modicum.experiments.builds.build_check import CheckRules, check_build

WOBBLE = (0.95, 1.02, 1.05, 0.98, 1.01, 0.97)


def side(factor=1.0, tasks=30, passes=lambda _: 1.0, name="t{}", shift=0, priced=True):
    """Two runs each of tasks of different sizes, which differ by up to five per cent in a fixed pattern."""
    results = []
    for task in range(tasks):
        for run in range(2):
            wobble = WOBBLE[(task * 5 + run * 3 + shift) % 6]
            tokens = 1000 * (task + 1) * factor * wobble
            cost = tokens * 1e-6 * WOBBLE[(task + run + shift) % 6]
            results.append(
                TaskResult(
                    arm="",
                    task=name.format(task),
                    run_id=f"{task}/{run}",
                    outcome=passes(task),
                    total_tokens=round(tokens),
                    cost_usd=cost if priced else None,
                )
            )
    return results


def check(before, after, **rules):
    return check_build(before, after, CheckRules(**rules))


def test_a_rise_is_shown_with_its_interval_per_task_and_per_resolved_one():
    found = check(side(), side(1.18, shift=1))

    assert found.is_raised
    assert [(one.measure, one.per) for one in found.ratios] == [
        ("total_tokens", "task"),
        ("total_tokens", "resolved task"),
        ("cost_usd", "task"),
        ("cost_usd", "resolved task"),
    ]
    first = found.ratios[0]
    assert first.low < 1.18 < first.high
    assert first.ratio == pytest.approx(1.18, abs=0.02)
    assert (found.tasks_common, found.resolved_before, found.resolved_after) == (30, 1.0, 1.0)


@pytest.mark.parametrize("factor", [1.0, 0.8])
def test_no_change_and_a_fall_pass(factor):
    found = check(side(), side(factor, shift=1))

    assert (found.is_raised, found.is_decided) == (False, True)


def test_a_rise_up_to_what_is_allowed_passes():
    assert not check(side(), side(1.05, shift=1), allowed=0.1).is_raised
    assert check(side(), side(1.3, shift=1), allowed=0.1).is_raised


def test_fewer_resolved_at_the_same_tokens_is_a_rise_per_resolved_task():
    found = check(side(), side(shift=1, passes=lambda task: float(task % 2)))

    raised = {(one.measure, one.per) for one in found.ratios if one.is_raised}
    assert raised == {("total_tokens", "resolved task"), ("cost_usd", "resolved task")}


def test_more_per_task_is_no_fault_where_more_tasks_are_resolved_for_it():
    found = check(side(passes=lambda task: float(task % 2)), side(1.2, shift=1))

    assert not found.is_raised
    assert found.ratios[0].low > 1
    assert "More tasks are resolved" in " ".join(found.remarks)


def test_without_outcomes_and_prices_the_rest_is_checked_and_that_is_said():
    found = check(side(passes=lambda _: None), side(1.2, shift=1, passes=lambda _: None, priced=False))

    assert [(one.measure, one.per, one.is_raised) for one in found.ratios] == [("total_tokens", "task", True)]
    assert "No task is known to be resolved on both sides" in found.remarks[0]
    assert "cost is not known on both sides" in found.remarks[1]


def test_tasks_of_other_names_are_two_samples_with_a_wider_interval():
    before, after = side(), side(1.18, shift=1, name="u{}")
    found, paired = check(before, after), check(before, side(1.18, shift=1))

    assert found.tasks_common == 0
    assert "two samples" in found.remarks[0]
    assert found.ratios[0].high - found.ratios[0].low > paired.ratios[0].high - paired.ratios[0].low
    assert not found.is_raised  # tasks differ thirtyfold in size
    assert check(before, side(40.0, shift=1, name="u{}")).is_raised


def test_where_nothing_varies_the_ratio_itself_decides():
    before = [TaskResult(arm="", task=f"{n}", total_tokens=1000 * n) for n in (1, 2, 3)]
    after = [TaskResult(arm="", task=f"{n}", total_tokens=1100 * n) for n in (1, 2, 3)]

    assert check(before, after).is_raised
    assert not check(before, before).is_raised
    assert check(before, before).is_decided


@pytest.mark.parametrize("count", [0, 1])
def test_too_few_tasks_decide_nothing_and_fail_nothing(count):
    before = [TaskResult(arm="", task=f"{n}", total_tokens=1000) for n in range(count)]
    after = [TaskResult(arm="", task=f"{n}", total_tokens=9000) for n in range(count)]

    found = check(before, after)
    assert (found.is_raised, found.is_decided) == (False, False)


def test_figures_that_none_can_be_are_unknown_and_that_is_said():
    wrong = [TaskResult(arm="", task=f"w{n}", total_tokens=-5, cost_usd=float("nan"), outcome=7.0) for n in range(3)]
    found = check([*side(), *wrong], [*side(1.18, shift=1), *wrong])

    assert found.is_raised
    assert found.ratios[0].tasks == 30
    assert "negative or impossible figure" in " ".join(found.remarks)
    assert "give --passing with the least" in " ".join(found.remarks)


def test_scores_that_run_higher_are_resolved_from_the_value_that_is_said_on():
    before = side(passes=lambda task: 40.0 + 40 * (task % 2))
    found = check(before, before, passing=80.0)

    assert found.resolved_before == 0.5
