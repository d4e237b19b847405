"""Several learners together: what each says of a prompt, brought to one scale and averaged."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from modicum.routing.inputs import Inputs
from modicum.routing.learners.learner import OutcomeLearner, Scorer
from modicum.routing.learners.neighbours import mean_outcomes
from modicum.routing.sparse_rows import Floats


@dataclass(frozen=True)
class BlendedScorer:
    base: Floats
    parts: tuple[Scorer, ...]
    means: tuple[Floats, ...]
    spreads: tuple[float, ...]
    spread: float

    def score(self, inputs: Inputs) -> Floats:
        total = np.zeros((len(inputs), len(self.base)))
        for part, mean, spread in zip(self.parts, self.means, self.spreads, strict=True):
            total += (part.score(inputs) - mean) / spread
        return self.base + self.spread / len(self.parts) * total


@dataclass(frozen=True)
class BlendedLearner:
    learners: tuple[OutcomeLearner, ...]
    name: str = "blended"

    def fit(self, inputs: Inputs, outcomes: Floats) -> Scorer:
        """Scales are those of held-back prompts: a neighbour would find itself among the others."""
        parts = tuple(learner.fit(inputs, outcomes) for learner in self.learners)
        held_back = np.arange(len(inputs)) % 5 == 0
        learning, trying = np.flatnonzero(~held_back), np.flatnonzero(held_back)
        scores = [
            learner.fit(inputs.take(learning), outcomes[learning]).score(inputs.take(trying))
            for learner in self.learners
        ]
        spreads = tuple(spread_of(each) for each in scores)
        means = tuple(each.mean(axis=0) for each in scores)
        return BlendedScorer(mean_outcomes(outcomes), parts, means, spreads, float(np.mean(spreads)))


def spread_of(scores: Floats) -> float:
    """How far the models differ in what is expected of them, beyond their means: what a choice goes by."""
    differences = scores - scores.mean(axis=0)
    if scores.shape[1] > 1:
        differences = differences - differences.mean(axis=1, keepdims=True)
    return max(1e-9, float(np.sqrt((differences**2).mean())))


def blend(learners: Sequence[OutcomeLearner], name: str = "blended") -> BlendedLearner:
    return BlendedLearner(tuple(learners), name)
