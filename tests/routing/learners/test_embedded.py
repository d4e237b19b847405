import numpy as np

from modicum.routing.inputs import read_prompts
from modicum.routing.learners.embedded import EmbeddedLearner


def test_vectors_that_say_what_is_needed_are_learned():
    draw = np.random.default_rng(0)
    vectors = draw.normal(size=(200, 4))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    outcomes = np.column_stack((vectors[:, 0] > 0, np.ones(200))).astype(float)
    inputs = read_prompts(["same"] * 200, vectors)

    for learner in (EmbeddedLearner(), EmbeddedLearner(20)):
        scores = learner.fit(inputs, outcomes).score(inputs)
        assert scores[outcomes[:, 0] == 1, 0].mean() > scores[outcomes[:, 0] == 0, 0].mean() + 0.3
