"""What the stage of an agent says of each model's outcome, beyond what its task's text says."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from modicum.routing.sparse_rows import Floats
from modicum.routing.stage import STEP_FEATURES, Stage, step_features

SHRINKAGE = 10.0
"""Tasks' worth of nothing learned: with few tasks a stage changes little."""


@dataclass(frozen=True)
class StepScorer:
    """Args:
    weights: a row per model, a column per feature of `STEP_FEATURES`.
    means: of the features, where it was learned.
    spreads: likewise; infinite where a feature was always the same.
    """

    weights: Floats
    means: Floats
    spreads: Floats

    def score(self, stages: Sequence[Stage]) -> Floats:
        """What is to be added to the outcomes that are expected by the text: a row per stage, a column per model."""
        added: Floats = (step_features(stages) - self.means) / self.spreads @ self.weights.T
        return added


def learn_steps(stages: Sequence[Stage], outcomes: Floats, expected: Floats) -> StepScorer:
    """Ridge regression of what the text leaves unexplained.

    Args:
        stages: of each row.
        outcomes: a row per stage, a column per model; NaN where nobody knows.
        expected: by the text, of who had not seen these rows.
    """
    features = step_features(stages)
    means, spreads = features.mean(axis=0), features.std(axis=0)
    spreads[spreads < 1e-9] = np.inf
    points = (features - means) / spreads
    weights = np.zeros((outcomes.shape[1], len(STEP_FEATURES)))
    for model, (column, by_text) in enumerate(zip(outcomes.T, expected.T, strict=True)):
        is_graded = np.isfinite(column)
        inside, left = points[is_graded], (column - by_text)[is_graded]
        square = inside.T @ inside + SHRINKAGE * np.eye(len(STEP_FEATURES))
        weights[model] = np.linalg.solve(square, inside.T @ (left - left.mean() if len(left) else left))
    return StepScorer(weights, means, spreads)
