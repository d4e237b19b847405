"""What every learner does: it learns from a table, and then says of prompts how good each model will be at them."""

from typing import Protocol

from modicum.routing.inputs import Inputs
from modicum.routing.sparse_rows import Floats


class Scorer(Protocol):
    """What was learned."""

    def score(self, inputs: Inputs) -> Floats:
        """The outcome that is expected: a row per prompt, a column per model."""


class OutcomeLearner(Protocol):
    @property
    def name(self) -> str:
        """As tables and people call it."""

    def fit(self, inputs: Inputs, outcomes: Floats) -> Scorer:
        """Learns. Outcomes: a row per prompt, a column per model, in 0..1; NaN where nobody knows."""
