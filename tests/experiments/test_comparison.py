import pytest

from experiments.sample_results import result, saver
from modicum.calls import UserError
from modicum.experiments.comparison import compare
from modicum.experiments.comparison_pairs import ComparisonRules

RULES = ComparisonRules()


def test_the_first_arm_is_the_baseline_unless_another_is_named():
    assert compare(saver(5), RULES).baseline == "plain"
    assert compare(saver(5), RULES, baseline="saver").baseline == "saver"
    assert compare(saver(5), RULES, names=["saver", "plain"]).baseline == "saver"
    assert [arm.name for arm in compare(saver(5), RULES, baseline="saver").arms] == ["saver", "plain"]


def test_arms_are_chosen_by_name():
    rows = [*saver(5), result("third", 1)]

    assert [arm.name for arm in compare(rows, RULES, names=["plain", "third"]).arms] == ["plain", "third"]
    with pytest.raises(UserError, match="there is no arm 'fourth'; accepted are plain, saver, third"):
        compare(rows, RULES, names=["fourth"])


def test_no_results_are_an_error_and_one_arm_is_shown_alone():
    with pytest.raises(UserError, match="no results"):
        compare([], RULES)
    alone = compare([result("a", 1)], RULES)
    assert (alone.pairs, alone.line) == ([], None)
    assert "There is one arm only" in alone.remarks[-1]


def test_the_line_has_who_is_beaten_by_nobody():
    rows = [
        *(result("cheap", task, float(task < 5), 1.0) for task in range(10)),
        *(result("good", task, float(task < 9), 3.0) for task in range(10)),
        *(result("beaten", task, float(task < 5), 3.0) for task in range(10)),
        *(result("silent", task, 1.0, None) for task in range(10)),
    ]

    line = compare(rows, RULES).line

    assert line.measure == "cost_usd"
    assert {point.name: point.on_line for point in line.points} == {"cheap": True, "good": True, "beaten": False}
    assert line.left_out == ["silent"]
    assert "without silent, whose cost nobody knows" in compare(rows, RULES).remarks[-1]


def test_without_costs_the_line_is_of_tokens():
    rows = [result(arm, task, 1.0, None) for arm in "ab" for task in range(3)]

    assert compare(rows, RULES).line.measure == "total_tokens"


def test_arms_that_are_alike_are_both_on_the_line():
    rows = [result(arm, task, 0.0, 0.1 * task) for arm in "ab" for task in range(9)]

    assert all(point.on_line for point in compare(rows, RULES).line.points)
