import numpy as np

from modicum.routing.learners.linear import LinearLearner, solve_ridge
from modicum.routing.sparse_rows import pack_rows
from routing_tables import known_table


def test_the_solution_is_that_of_the_normal_equations():
    draw = np.random.default_rng(0)
    dense = draw.random((60, 5))
    rows = pack_rows([(np.arange(5), row.astype(np.float32)) for row in dense], 5)
    more, target, counts = draw.random((60, 2)), draw.random(60), np.ones(60)

    solved = solve_ridge(rows, more, target, counts, 2.0)

    both = np.hstack((dense, more))
    assert np.allclose(solved, np.linalg.solve(both.T @ both + 2 * np.eye(7), both.T @ target), atol=5e-3)


def test_a_model_that_is_always_right_has_no_weights():
    table = known_table(100)
    outcomes = np.column_stack((table.outcomes[:, 0], np.ones(100)))

    scorer = LinearLearner().fit(table.inputs, outcomes)

    assert not scorer.weights[1].any()
    assert np.allclose(scorer.score(table.inputs)[:, 1], 1)
