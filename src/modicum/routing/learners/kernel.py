"""Ridge regression on how near prompts are to each other by their vectors and measures: bends where a line cannot.

Nearness is Gaussian, and only nearness to some prompts of the table counts (Nyström's approximation), so that it takes
seconds where all pairs would take an hour. For tables that have vectors, as `embedded.py`.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from modicum.routing.inputs import Inputs
from modicum.routing.learners.embedded import embeddings_of
from modicum.routing.learners.learner import Scorer
from modicum.routing.learners.neighbours import mean_outcomes
from modicum.routing.sparse_rows import Floats, Values

_LEAST_SPREAD = 1e-9
_STEADY = 1e-3
"""Is added to the diagonal: landmarks may be equal."""


@dataclass(frozen=True)
class KernelScorer:
    base: Floats
    weights: Floats
    """A row per landmark, a column per model."""
    landmarks: Values
    means: Floats
    factors: Floats
    """Of the measures."""
    width: float

    def score(self, inputs: Inputs) -> Floats:
        points = points_of(inputs, self.means, self.factors)
        scores: Floats = self.base + nearness(points, self.landmarks, self.width) @ self.weights
        return scores


@dataclass(frozen=True)
class KernelLearner:
    """Args:
    width: how fast nearness falls with the squared distance.
    shrinkage: how strongly weights are held near 0.
    measure_share: how much the measures weigh beside the vectors.
    most_landmarks: prompts to which nearness counts.
    """

    width: float = 2.0
    shrinkage: float = 1.0
    measure_share: float = 0.15
    most_landmarks: int = 1500
    name: str = "kernel on embedding"

    def fit(self, inputs: Inputs, outcomes: Floats) -> Scorer:
        means = inputs.measures.mean(axis=0)
        factors = self.measure_share / np.maximum(inputs.measures.std(axis=0), _LEAST_SPREAD)
        factors[inputs.measures.std(axis=0) < _LEAST_SPREAD] = 0.0
        points = points_of(inputs, means, factors)
        chosen = np.random.default_rng(0).permutation(len(points))[: self.most_landmarks]
        landmarks, base = points[chosen], mean_outcomes(outcomes)
        near = nearness(points, landmarks, self.width)
        among = self.shrinkage * nearness(landmarks, landmarks, self.width) + _STEADY * np.eye(len(landmarks))
        weights = np.zeros((len(landmarks), outcomes.shape[1]))
        for model, column in enumerate(outcomes.T):
            is_graded = np.isfinite(column)
            inside = near if is_graded.all() else near[is_graded]
            square = (inside.T @ inside).astype(float) + among
            weights[:, model] = np.linalg.solve(square, inside.T @ (column[is_graded] - base[model]))
        return KernelScorer(base, weights, landmarks, means, factors, self.width)


def points_of(inputs: Inputs, means: Floats, factors: Floats) -> Values:
    measures = (inputs.measures - means) * factors
    return np.hstack((embeddings_of(inputs), measures)).astype(np.float32)


def nearness(points: Values, others: Values, width: float) -> Values:
    """1 where two are the same, 0 where they are far from each other."""
    squares: NDArray[np.float32] = (points**2).sum(axis=1)[:, None] + (others**2).sum(axis=1) - 2 * points @ others.T
    near: Values = np.exp(-width * np.maximum(squares, 0))
    return near
