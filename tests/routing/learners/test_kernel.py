import numpy as np
import pytest

from modicum.calls import UserError
from modicum.routing.inputs import read_prompts
from modicum.routing.learners.kernel import KernelLearner, nearness


def circles(count, seed):
    """Hard is what lies near the middle: no straight line tells it."""
    draw = np.random.default_rng(seed)
    vectors = draw.normal(size=(count, 3))
    vectors[:, 2] = 0
    is_hard = (vectors**2).sum(axis=1) < 1.4
    return read_prompts(["the same words"] * count, vectors), np.stack([1.0 - is_hard, np.ones(count)], axis=1)


def test_it_learns_what_no_line_tells():
    inputs, outcomes = circles(600, 0)
    fresh, truth = circles(200, 1)

    scores = KernelLearner().fit(inputs, outcomes).score(fresh)

    assert ((scores[:, 0] > 0.5) == (truth[:, 0] == 1)).mean() > 0.9
    assert scores[:, 1] == pytest.approx(1, abs=0.02)


def test_outcomes_that_nobody_knows_are_left_out():
    inputs, outcomes = circles(300, 0)
    outcomes[::2, 0] = np.nan
    scores = KernelLearner(most_landmarks=50).fit(inputs, outcomes).score(inputs)

    assert np.isfinite(scores).all()


def test_it_needs_vectors():
    with pytest.raises(UserError, match="--embeddings"):
        KernelLearner().fit(read_prompts(["a", "b"]), np.ones((2, 2)))


def test_nearness_is_one_for_the_same():
    points = np.array([[0, 0], [3, 4]], np.float32)

    assert nearness(points, points, 0.1).ravel() == pytest.approx([1, np.exp(-2.5), np.exp(-2.5), 1])
