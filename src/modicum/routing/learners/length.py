"""The baseline that every other learner has to beat: the longer the prompt, the more is gained by a better model."""

from dataclasses import dataclass

import numpy as np

from modicum.routing.inputs import Inputs
from modicum.routing.learners.learner import Scorer
from modicum.routing.sparse_rows import Floats


@dataclass(frozen=True)
class LengthScorer:
    """A straight line over the logarithm of the length, for each model."""

    base: Floats
    slopes: Floats

    def score(self, inputs: Inputs) -> Floats:
        return self.base + np.outer(inputs.measures[:, 0], self.slopes)


class LengthLearner:
    name = "length"

    def fit(self, inputs: Inputs, outcomes: Floats) -> Scorer:
        lengths = inputs.measures[:, 0]
        base, slopes = np.zeros(outcomes.shape[1]), np.zeros(outcomes.shape[1])
        for model, column in enumerate(outcomes.T):
            is_graded = np.isfinite(column)
            if not is_graded.any():
                continue
            x, y = lengths[is_graded], column[is_graded]
            spread = float(((x - x.mean()) ** 2).sum())
            slopes[model] = float(((x - x.mean()) * (y - y.mean())).sum()) / spread if spread > 1e-12 else 0.0
            base[model] = float(y.mean()) - slopes[model] * float(x.mean())
        return LengthScorer(base, slopes)
