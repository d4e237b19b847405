"""A weight for each word and each measure (ridge regression), the same for all models and learned for each."""

from dataclasses import dataclass

import numpy as np

from modicum.routing.inputs import Inputs, Kind
from modicum.routing.learners.learner import Scorer
from modicum.routing.learners.weighting import rarity
from modicum.routing.sparse_rows import Floats, SparseRows, Values

MOST_STEPS = 40
TOLERANCE = 1e-3


@dataclass(frozen=True)
class LinearScorer:
    kind: Kind
    base: Floats
    weights: Floats
    """Of words or runs of letters: a row per model."""
    factors: Values
    measure_weights: Floats
    measure_means: Floats
    measure_spreads: Floats

    def score(self, inputs: Inputs) -> Floats:
        rows = inputs.rows(self.kind).scaled(self.factors)
        by_words = np.stack([rows.times(weights) for weights in self.weights], axis=1)
        measures = (inputs.measures - self.measure_means) / self.measure_spreads
        return self.base + by_words + measures @ self.measure_weights.T


@dataclass(frozen=True)
class LinearLearner:
    """Args:
    kind: what carries weights beside the measures.
    shrinkage: how strongly weights are held near 0.
    measure_share: how much the measures weigh beside the words.
    """

    kind: Kind = "words"
    shrinkage: float = 3.0
    measure_share: float = 0.05

    @property
    def name(self) -> str:
        return f"linear on {self.kind}"

    def fit(self, inputs: Inputs, outcomes: Floats) -> Scorer:
        rows = inputs.rows(self.kind)
        factors = rarity(rows)
        used = np.flatnonzero(factors)
        width, rows = rows.width, rows.scaled(factors).narrow(used)
        means = inputs.measures.mean(axis=0)
        spreads = inputs.measures.std(axis=0)
        spreads[spreads < 1e-9] = np.inf
        spreads /= self.measure_share
        measures = (inputs.measures - means) / spreads
        models = outcomes.shape[1]
        base = np.zeros(models)
        weights, of_measures = np.zeros((models, width)), np.zeros((models, measures.shape[1]))
        for model, column in enumerate(outcomes.T):
            is_graded = np.isfinite(column)
            if not is_graded.any():
                continue
            base[model] = float(column[is_graded].mean())
            target = np.where(is_graded, np.nan_to_num(column) - base[model], 0.0)
            if np.any(target):
                solved = solve_ridge(rows, measures, target, is_graded.astype(float), self.shrinkage)
                weights[model, used], of_measures[model] = solved[: rows.width], solved[rows.width :]
        return LinearScorer(self.kind, base, weights, factors, of_measures, means, spreads)


def solve_ridge(rows: SparseRows, dense: Floats, target: Floats, counts: Floats, shrinkage: float) -> Floats:
    """Weights with the least squared error, by conjugate gradients: the matrix is never made.

    `counts` is 1 for rows that are graded, else 0.
    """
    width = rows.width

    def normal(weights: Floats) -> Floats:
        fitted = (rows.times(weights[:width]) + dense @ weights[width:]) * counts
        return np.concatenate((rows.transposed_times(fitted), dense.T @ fitted)) + shrinkage * weights

    right = np.concatenate((rows.transposed_times(target), dense.T @ target))
    weights = np.zeros_like(right)
    residual = right.copy()
    direction = residual.copy()
    square = float(residual @ residual)
    enough = TOLERANCE**2 * square
    for _ in range(MOST_STEPS):
        if square <= enough:
            break
        image = normal(direction)
        step = square / float(direction @ image)
        weights += step * direction
        residual -= step * image
        before, square = square, float(residual @ residual)
        direction = residual + square / before * direction
    return weights
