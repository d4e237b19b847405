import numpy as np

from modicum.routing.stage import Stage
from modicum.routing.step_scorer import learn_steps
from routing_tables import stepped_table


def test_what_errors_do_to_the_cheap_model_is_learned_and_the_dear_one_is_left_alone():
    table = stepped_table(300)
    expected = np.tile(table.outcomes.mean(axis=0), (len(table), 1))

    learned = learn_steps(table.stages, table.outcomes, expected)
    calm, failing = learned.score([Stage(2, 0, 0, "Read"), Stage(2, 2, 2, "Read")])

    assert calm[0] - failing[0] > 0.4
    assert abs(calm[1] - failing[1]) < 0.1


def test_a_model_that_nobody_graded_and_a_feature_that_is_always_the_same_add_nothing():
    stages = [Stage(1, 0, 0, "Read")] * 8
    outcomes = np.column_stack((np.tile([0.0, 1.0], 4), np.full(8, np.nan)))

    learned = learn_steps(stages, outcomes, np.full((8, 2), 0.5))

    assert not learned.score([Stage(50, 20, 20, "Edit")]).any()
