import pytest

from experiments.samples import altered, experiment, tasks
from modicum.experiments.experiment import Arm
from modicum.experiments.grading import grade
from modicum.experiments.savings import hit_rate, measure_saving


def saving(made, **fields):
    one = experiment(**fields)
    return measure_saving(one, made, grade(one, made))


def test_what_was_measured_is_that_of_the_hold_out_in_shares_and_dollars():
    made = tasks(3000, saving=0.3)
    found = saving(made)
    spent = sum(task.cost_usd for task in made if task.arm is Arm.CHANGED)

    assert found.measured_low < 0.3 < found.measured_high
    assert found.measured_usd == pytest.approx(spent / (1 - found.measured_share) - spent)
    assert found.measured_usd_low < found.measured_usd < found.measured_usd_high
    assert found.came_true is None  # nothing was estimated


@pytest.mark.parametrize(("estimated", "true"), [(0.3, True), (0.6, False)])
def test_an_estimate_comes_true_within_the_interval(estimated, true):
    assert saving(tasks(3000, saving=0.3), estimated_saving=estimated).came_true is true


def test_few_tasks_and_broken_arms_measure_nothing():
    few = saving(tasks(20), estimated_saving=0.3)
    assert (few.measured_low, few.came_true) == (None, None)
    assert few.why_not_measured
    broken = [altered(task, calls_applied=0) for task in tasks(3000)]
    found = saving(broken, estimated_saving=0.3)
    assert (found.measured_share, found.measured_usd) == (None, None)
    assert "is the model 'gpt-4o-mini' still served" in found.why_not_measured
    assert saving([]).measured_usd is None


def test_the_hit_rate_counts_those_that_were_both_estimated_and_measured():
    made = tasks(3000, saving=0.3)
    several = [saving(made, estimated_saving=share) for share in (0.3, 0.29, 0.9, None)]

    assert (hit_rate(several).hits, hit_rate(several).judged) == (2, 3)
    assert hit_rate([]).judged == 0
