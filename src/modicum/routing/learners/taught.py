"""A learner that a gateway can run, taught by one that it cannot: by vectors of the prompts, or by a slower one.

An outcome says whether a model was right once; a teacher says how likely that was. So a quick learner sees less chance
in what it learns from, and needs no vector when a call waits for it.
"""

from dataclasses import dataclass

import numpy as np

from modicum.routing.inputs import Inputs
from modicum.routing.learners.learner import OutcomeLearner, Scorer
from modicum.routing.sparse_rows import Floats

_PARTS = 3
"""A teacher speaks only of prompts that it has not learned from: of each part, by what the others taught it."""


@dataclass(frozen=True)
class TaughtLearner:
    """Args:
    student: what is learned.
    teacher: by whom, where the table has vectors of the prompts.
    own_teacher: by whom, where it has none.
    share: how much the teacher's word weighs beside the outcome itself.
    """

    student: OutcomeLearner
    teacher: OutcomeLearner
    own_teacher: OutcomeLearner
    share: float = 0.7
    name: str = "taught"

    def fit(self, inputs: Inputs, outcomes: Floats) -> Scorer:
        teacher = self.own_teacher if inputs.embeddings is None else self.teacher
        parts = np.random.default_rng(0).integers(0, _PARTS, len(inputs))
        taught = outcomes.copy()
        for part in range(_PARTS):
            inside, outside = np.flatnonzero(parts == part), np.flatnonzero(parts != part)
            if len(inside) and len(outside):
                likely = teacher.fit(inputs.take(outside), outcomes[outside]).score(inputs.take(inside))
                taught[inside] += self.share * (np.clip(likely, 0.0, 1.0) - outcomes[inside])
        return self.student.fit(inputs, taught)
