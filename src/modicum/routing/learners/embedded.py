"""Ridge regression and neighbours on vectors that somebody else made of the prompts, where a table has them.

No call has such a vector in time, so these are for tables: to see what they would add, and to teach.
"""

from dataclasses import dataclass

import numpy as np

from modicum.calls import UserError
from modicum.routing.inputs import Inputs
from modicum.routing.learners.learner import Scorer
from modicum.routing.learners.neighbours import mean_outcomes, weighted_means
from modicum.routing.sparse_rows import Floats

_AT_ONCE = 256
"""Prompts that are compared at once: what bounds the memory for it."""


@dataclass(frozen=True)
class EmbeddedScorer:
    base: Floats
    weights: Floats
    vectors: Floats
    outcomes: Floats
    count: int

    def score(self, inputs: Inputs) -> Floats:
        vectors = embeddings_of(inputs)
        return self.base + vectors @ self.weights if not self.count else self._by_neighbours(vectors)

    def _by_neighbours(self, vectors: Floats) -> Floats:
        """Many prompts at once: the products of one after the other took most of the time of a table."""
        scores = np.empty((len(vectors), self.outcomes.shape[1]))
        learned = self.vectors.astype(np.float32).T
        for begin in range(0, len(vectors), _AT_ONCE):
            alike = vectors[begin : begin + _AT_ONCE].astype(np.float32) @ learned
            nearest = np.argpartition(alike, -self.count, axis=1)[:, -self.count :]
            weights = np.maximum(np.take_along_axis(alike, nearest, axis=1), 0.0).astype(float)
            for place, (rows, weight) in enumerate(zip(nearest, weights, strict=True)):
                scores[begin + place] = weighted_means(weight, self.outcomes[rows], self.base)
        return scores


@dataclass(frozen=True)
class EmbeddedLearner:
    """Args:
    count: neighbours that are asked; 0: ridge regression instead.
    """

    count: int = 0
    shrinkage: float = 3.0

    @property
    def name(self) -> str:
        return "neighbours by embedding" if self.count else "linear on embedding"

    def fit(self, inputs: Inputs, outcomes: Floats) -> Scorer:
        vectors, base = embeddings_of(inputs), mean_outcomes(outcomes)
        weights = np.zeros((vectors.shape[1], outcomes.shape[1]))
        for model, column in enumerate(outcomes.T):
            graded = np.isfinite(column)
            inside = vectors[graded]
            square = inside.T @ inside + self.shrinkage * np.eye(vectors.shape[1])
            weights[:, model] = np.linalg.solve(square, inside.T @ (column[graded] - base[model]))
        return EmbeddedScorer(base, weights, vectors, outcomes, min(self.count, len(vectors)))


def embeddings_of(inputs: Inputs) -> Floats:
    if inputs.embeddings is None:
        raise UserError("this learner needs vectors of the prompts, and the table has none: --embeddings FILE.npy")
    return inputs.embeddings
