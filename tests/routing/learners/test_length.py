import numpy as np

from modicum.routing.inputs import read_prompts
from modicum.routing.learners.length import LengthLearner


def test_longer_prompts_are_expected_to_need_more():
    prompts = ["word " * (1 + number % 50) for number in range(100)]
    outcomes = np.array([[1.0 if number % 50 < 25 else 0.0, 1.0] for number in range(100)])
    inputs = read_prompts(prompts)

    scores = LengthLearner().fit(inputs, outcomes).score(inputs)

    assert scores[0, 0] > scores[49, 0]
    assert np.allclose(scores[:, 1], 1)


def test_prompts_of_one_length_and_models_without_outcomes_have_the_mean():
    inputs = read_prompts(["same"] * 4)

    scores = LengthLearner().fit(inputs, np.array([[1, np.nan], [0, np.nan], [1, np.nan], [0, np.nan]])).score(inputs)

    assert np.allclose(scores, [0.5, 0])
