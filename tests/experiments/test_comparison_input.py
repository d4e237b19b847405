import math

import pytest

from experiments.sample_results import result
from modicum.experiments.comparison_input import check_results


def test_outcomes_outside_their_range_count_as_not_graded_and_are_named():
    checked = check_results([result("a", 1, 87.0, place="t.csv:2"), result("a", 2, -1.0), result("a", 3, 1.0)])

    assert [each.outcome for each in checked.results] == [None, None, 1.0]
    (remark,) = checked.remarks
    assert remark == (
        "2 outcomes lie outside 0..1 and count as not graded (t.csv:2 and 1 more); if scores run to 100, give "
        "--score-max 100."
    )


def test_outcomes_are_scaled_to_a_share():
    checked = check_results([result("a", 1, 87.0), result("a", 2, 101.0)], score_max=100)

    assert [each.outcome for each in checked.results] == [0.87, None]
    assert "outside 0..100" in checked.remarks[0]
    assert "--score-max" not in checked.remarks[0]


def test_a_rounding_beyond_1_is_1():
    assert check_results([result("a", 1, 1 + 1e-12)]).results[0].outcome == 1.0


@pytest.mark.parametrize("cost", [-1.0, math.inf, math.nan, 1e-320, 1e16])
def test_a_figure_that_can_not_be_is_unknown_and_not_0(cost):
    checked = check_results([result("a", 1, cost=cost)])

    assert checked.results[0].cost_usd is None
    assert "negative or impossible" in checked.remarks[0]


def test_contradictory_runs_are_left_out_and_repeated_ones_count_once():
    rows = [
        result("a", 1, 1.0, run_id="r1"),
        result("a", 1, 0.0, run_id="r1"),
        result("a", 2, 1.0, run_id="r2"),
        result("a", 2, 1.0, run_id="r2"),
        result("b", 1, 1.0, run_id="r1"),
        result("a", 3, 1.0),
        result("a", 3, 1.0),
    ]

    checked = check_results(rows)

    assert [(each.arm, each.task) for each in checked.results] == [("a", "2"), ("b", "1"), ("a", "3"), ("a", "3")]
    assert "1 run stands more than once with different outcomes" in checked.remarks[0]
    assert checked.remarks[1] == "1 row repeats a run that is there already and counts once."


def test_a_cost_of_0_for_tokens_is_pointed_out():
    assert "b: 1 run took tokens and cost $0" in check_results([result("b", 1, cost=0.0)]).remarks[0]
    assert check_results([result("b", 1, cost=0.0, tokens=None)]).remarks == []
