import numpy as np
import pytest

from modicum.statistics.jackknife import caution_of, few_clusters, jackknife


def leave_one_out_means(values):
    return (values.sum() - values) / (len(values) - 1)


def test_of_a_mean_it_is_students_interval_where_nothing_is_skewed():
    values = np.concatenate([np.linspace(-1, 1, 12)])
    reach = jackknife(0.0, leave_one_out_means(values), 0.95)

    assert reach.error == pytest.approx(values.std(ddof=1) / np.sqrt(12))
    assert reach.above == -reach.below == pytest.approx(2.201 * reach.error, rel=1e-3)


def test_a_long_tail_moves_its_end_outward_and_never_the_other_inward():
    values = np.array([0.0] * 11 + [4.0])
    reach = jackknife(float(values.mean()), leave_one_out_means(values), 0.95)

    assert reach.above > -reach.below > 2.2 * reach.error


def test_what_is_all_alike_has_no_reach():
    assert jackknife(1.0, np.ones(5), 0.95).error == 0.0


def test_cautions():
    assert few_clusters(4, "groups").startswith("only 4 groups: with fewer than 10")
    one = np.array([1.0] * 11 + [9.0])
    assert caution_of(1.0, one).startswith("one task makes 100 % of the uncertainty")
    assert caution_of(0.0, np.linspace(-1, 1, 12)) == ""
