import numpy as np
import pytest

from experiments.samples import altered, experiment, tasks
from modicum.experiments.experiment import Arm, ChangeKind
from modicum.experiments.gate import Verdict
from modicum.experiments.grading import grade


def test_a_change_that_harms_is_rolled_back_with_figures_in_the_reason():
    found = grade(experiment(), tasks(1500, effect=-0.2))

    assert found.verdict is Verdict.ROLL_BACK
    assert found.why.startswith("it does harm: outcomes -")
    assert found.effect.high < 0


def test_a_harmless_one_is_safe_and_its_saving_has_an_interval():
    found = grade(experiment(), tasks(6000))

    assert found.verdict is Verdict.SAFE
    assert "a loss of 5 points is ruled out" in found.why
    assert found.tokens.low < 0.7 < found.tokens.high < 1
    assert found.remarks == ()


def test_one_that_is_not_decided_says_how_many_more_tasks_are_needed():
    found = grade(experiment(), tasks(400))

    assert found.verdict is Verdict.GO_ON
    assert found.effect.more_tasks_until_safe > 400


def test_one_that_takes_more_and_brings_nothing_is_stopped():
    found = grade(experiment(kind=ChangeKind.RULE, subject="trim.tools"), tasks(6000, saving=-0.4))

    assert found.verdict is Verdict.STOP
    assert "it saves nothing: a task takes " in found.why


@pytest.mark.parametrize(
    ("made", "why"),
    [
        ([], "holds no task"),
        ([altered(task, outcome_low=None, outcome_high=None) for task in tasks(50)], "none of 50 tasks has an outcome"),
        ([task for task in tasks(50) if task.arm is Arm.CHANGED][:8], "only one arm has outcomes"),
        ([altered(task, outcome_low=17.0, outcome_high=17.0) for task in tasks(50)], "is a share in 0..1"),
        ([altered(task, outcome_low=1.0, outcome_high=1.0) for task in tasks(900)], "all outcomes are alike"),
    ],
)
def test_where_nothing_can_be_said_there_is_a_sentence_and_no_figure(made, why):
    found = grade(experiment(), made)

    assert found.verdict is Verdict.GO_ON
    assert why in found.why
    assert found.effect is None


def test_outcomes_that_are_missing_in_one_arm_stop_it():
    made = [
        altered(task, outcome_low=None, outcome_high=None)
        if task.arm is Arm.CHANGED and task.outcome_high == 0
        else task
        for task in tasks(2000, base=0.6)
    ]
    found = grade(experiment(), made)

    assert found.verdict is Verdict.STOP
    assert "outcomes are missing more often in one arm" in found.why
    assert found.effect is None


def test_arms_that_were_not_drawn_stop_it():
    found = grade(experiment(), [task for task in tasks(2000) if task.arm is Arm.CHANGED or task.task.endswith("1")])

    assert found.verdict is Verdict.STOP
    assert "which is not the lot of 50 to 50" in found.why


def test_contradictions_stop_it_when_many_and_are_named_when_few():
    made = tasks(3000)
    few = [altered(task, outcome_low=0.0, outcome_high=1.0) for task in made[:20]] + made[20:]
    many = [altered(task, outcome_low=0.0, outcome_high=1.0) for task in made[:900]] + made[900:]

    assert "20 tasks have outcomes that contradict each other" in grade(experiment(), few).remarks[0]
    assert grade(experiment(), many).verdict is Verdict.STOP
    assert "contradict each other: nobody knows" in grade(experiment(), many).why


def test_a_model_that_vanished_stops_it_and_failing_calls_roll_it_back():
    made = tasks(300)
    unapplied = [altered(task, calls_applied=0) for task in made]
    failing = [altered(task, calls_failed=3 if task.arm is Arm.CHANGED else 0) for task in made]

    assert grade(experiment(), unapplied).verdict is Verdict.STOP
    assert "is the model 'gpt-4o-mini' still served" in grade(experiment(), unapplied).why
    found = grade(experiment(), failing)
    assert found.verdict is Verdict.ROLL_BACK
    assert found.why.startswith("calls fail: ")


def test_drift_of_the_traffic_is_named_and_changes_no_verdict():
    good, bad = tasks(3000, base=0.95), tasks(6000, base=0.5, seed=1)[3000:]
    found = grade(experiment(), good + bad)

    assert found.verdict in {Verdict.GO_ON, Verdict.SAFE}
    assert "traffic drifts: the hold-out's outcomes went from 0.9" in found.remarks[0]


def test_costs_that_are_not_known_get_no_ratio():
    found = grade(experiment(), [altered(task, cost_usd=None) for task in tasks(400)])

    assert found.cost.ratio is None
    assert "it is known" in found.cost.no_interval
    half = [altered(task, cost_usd=None) if number % 2 else task for number, task in enumerate(tasks(400))]
    assert grade(experiment(), half).cost.no_interval == "of 200 tasks it is not known"


def test_the_order_in_which_tasks_come_does_not_matter():
    made = tasks(800, effect=-0.1)

    assert grade(experiment(), made[::-1]) == grade(experiment(), made)


@pytest.mark.parametrize(
    ("count", "seeds", "hold_out"), [(5, 200, 0.5), (20, 200, 0.5), (100, 200, 0.5), (300, 60, 0.1)]
)
@pytest.mark.parametrize("sigma", [0.5, 1.6])
def test_a_rule_that_changes_nothing_is_hardly_ever_said_to_save_or_to_cost(count, seeds, hold_out, sigma):
    said = given = 0
    ungraded = [altered(task, outcome_low=None, outcome_high=None) for task in tasks(count)]
    for seed in range(seeds):
        random = np.random.default_rng(seed)
        lot, dollars = random.random(count) < hold_out, random.lognormal(0, sigma, count)
        cost = grade(
            experiment(kind=ChangeKind.RULE, subject="content.cut", outcome="", hold_out=hold_out),
            [
                altered(task, arm=Arm.HOLD_OUT if held else Arm.CHANGED, cost_usd=usd)
                for task, held, usd in zip(ungraded, lot, dollars.tolist(), strict=True)
            ],
        ).cost
        given += cost.low is not None
        said += cost.low is not None and (cost.low > 1 or cost.high < 1)

    assert given == 0 or count > 20  # of few tasks no interval is given at all
    assert said <= 0.05 * seeds


def test_a_rule_that_halves_the_dollars_is_said_to_save_in_most_of_the_same_lots():
    said = 0
    for seed in range(20):
        random = np.random.default_rng(seed)
        made = [
            altered(task, arm=arm, cost_usd=usd * (0.5 if arm is Arm.CHANGED else 1))
            for task, arm, usd in zip(
                tasks(300),
                [Arm.HOLD_OUT if lot < 0.5 else Arm.CHANGED for lot in random.random(300)],
                random.lognormal(0, 0.5, 300).tolist(),
                strict=True,
            )
        ]
        cost = grade(experiment(kind=ChangeKind.RULE, subject="content.cut"), made).cost
        said += cost.high is not None and cost.high < 1

    assert said > 15
