import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modicum.statistics.paired import (
    paired_difference,
    pairs_needed,
    passed_in_sequence,
    simultaneous_confidence,
)

bits = st.lists(st.tuples(st.integers(0, 1), st.integers(0, 1)), min_size=1, max_size=50)


@given(bits)
def test_the_interval_holds_the_mean_and_has_width(pairs):
    before, after = zip(*pairs, strict=True)

    found = paired_difference(before, after)

    assert -1 <= found.low < found.high <= 1
    assert found.low - 1 / (len(pairs) + 2) <= found.mean <= found.high + 1 / (len(pairs) + 2)


@given(bits)
def test_swapping_the_conditions_mirrors_the_interval(pairs):
    before, after = zip(*pairs, strict=True)

    there, back = paired_difference(before, after), paired_difference(after, before)

    assert (there.low, there.high) == pytest.approx((-back.high, -back.low))


def test_bonett_and_price_by_hand():
    # 20 pairs, 6 better and 2 worse: centre (6-2)/22, variance ((7+3)/22 - (4/22)^2)/22
    before = [0] * 6 + [1] * 2 + [1] * 12
    after = [1] * 6 + [0] * 2 + [1] * 12

    found = paired_difference(before, after)

    half = 1.959964 * ((10 / 22 - (4 / 22) ** 2) / 22) ** 0.5
    assert found.low == pytest.approx(4 / 22 - half)
    assert found.high == pytest.approx(4 / 22 + half)
    assert found.discordant_share == 0.4


def test_no_difference_in_few_pairs_rules_out_little():
    same = paired_difference([1] * 10, [1] * 10)

    assert same.mean == 0
    assert same.low < -0.2
    assert not same.not_worse_than(0.03)
    assert paired_difference([1] * 5000, [1] * 5000).not_worse_than(0.03)


def test_coverage_of_a_true_loss_is_near_its_promise():
    rng = np.random.default_rng(0)
    held = 0
    for _ in range(400):
        before = rng.random(150) < 0.7
        worse = rng.random(150) < 0.1
        held += paired_difference(before, before & ~worse).low <= -0.07
    assert held / 400 > 0.93


def test_tasks_that_resemble_each_other_widen_the_interval():
    before = [0] * 100
    after = [1] * 20 + [0] * 80

    alone = paired_difference(before, after)
    grouped = paired_difference(before, after, clusters=[index // 20 for index in range(100)])

    assert grouped.low < alone.low


def test_no_pairs_rule_out_nothing():
    assert not paired_difference([], []).not_worse_than(1.0)


@pytest.mark.parametrize("bad", [([1], [1, 2]), ([1.0], [float("nan")])])
def test_pairs_that_are_none_are_refused(bad):
    with pytest.raises(ValueError, match=r"equally long|finite"):
        paired_difference(*bad)


def test_copies_of_one_candidate_need_no_correction_and_strangers_need_bonferronis():
    rng = np.random.default_rng(0)
    one = rng.normal(size=400)
    strangers = rng.normal(size=(10, 400))

    assert simultaneous_confidence([one] * 10) == pytest.approx(0.95, abs=0.012)
    assert simultaneous_confidence(strangers) == pytest.approx(1 - 0.05 / 10, abs=0.003)
    assert simultaneous_confidence(np.zeros((3, 10))) == 0.95


def test_all_intervals_hold_at_once_as_often_as_promised():
    rng = np.random.default_rng(1)
    held = 0
    for _ in range(200):
        shared = rng.normal(size=200)
        table = np.stack([shared * weight + rng.normal(size=200) for weight in (0, 0.5, 1, 2, 3)])
        level = simultaneous_confidence(table)
        held += all(abs(row.mean()) <= -_quantile(level) * row.std() / 200**0.5 for row in table)
    assert held / 200 > 0.9


def _quantile(level):
    from statistics import NormalDist

    return NormalDist().inv_cdf((1 - level) / 2)


def test_pairs_needed_for_a_margin():
    assert pairs_needed(0.02, 0.10) == 1963
    assert pairs_needed(0.05, 0.10) == 314
    assert pairs_needed(0.02, 0.10, one_sided_error=0.05) == 1546
    assert pairs_needed(0.02, 0.10, design_effect=2.0) == 3925
    assert pairs_needed(0.02, 0.10, true_difference=-0.02) is None


def test_pairs_of_one_cluster_say_less_and_more_are_needed():
    change = np.repeat(np.random.default_rng(1).choice([-1.0, 0, 0, 1.0], 40), 10)
    found = paired_difference(np.zeros(400), change, clusters=np.repeat(np.arange(40), 10))

    assert 5 < found.design_effect < 20
    assert paired_difference(np.zeros(400), change).design_effect == 1.0


def test_testing_in_sequence_ends_at_the_first_that_fails():
    fine = paired_difference([1] * 400, [1] * 400)
    open_ = paired_difference([1] * 20, [1] * 20)

    assert passed_in_sequence([fine, open_, fine], 0.02) == 1
    assert passed_in_sequence([open_, fine], 0.02) == 0
    assert passed_in_sequence([], 0.02) == 0


@pytest.mark.parametrize("losses", [(0.05, 0.05, 0.05), (0.0, 0.05, 0.06), (0.03, 0.05, 0.0), (0.05, 0.0, 0.0)])
def test_a_loss_beyond_the_margin_seldom_passes_a_sequence(losses):
    """Planted losses at the edge of the margin, where a test errs most; 2,000 recordings of 300 tasks."""
    rng = np.random.default_rng(1)
    draws, tasks, margin = 2000, 300, 0.05 - 1e-9
    harm = np.array(losses)[:, None, None]
    wrong = (0.08 + harm) * np.ones((3, draws, tasks))  # of 0.08 + loss the plan spoils an answer, of 0.08 it mends one
    luck = rng.random((1, draws, tasks))  # plans share their tasks, and so their luck
    changes = np.where(luck < wrong, -1.0, np.where(luck > 0.92, 1.0, 0.0))

    beyond = 0
    for draw in range(draws):
        found = [paired_difference(np.zeros(tasks), one) for one in changes[:, draw]]
        passed = passed_in_sequence(found, margin)
        beyond += any(loss > margin for loss in losses[:passed])

    assert 0 < beyond / draws <= 0.05


def test_few_groups_say_what_the_interval_is_worth():
    before, after = [1.0] * 20, [1.0, 0.0] * 10

    assert paired_difference(before, after).caution == ""
    assert paired_difference(before[:9], after[:9]).caution.startswith("only 9 tasks")
    assert paired_difference(before, after, clusters=[n // 5 for n in range(20)]).caution.startswith("only 4 groups")
