"""What came of the prompts that resemble this one most, weighted by how much they do."""

from dataclasses import dataclass

import numpy as np

from modicum.routing.inputs import Inputs, Kind
from modicum.routing.learners.learner import Scorer
from modicum.routing.learners.weighting import rarity
from modicum.routing.sparse_rows import Columns, Floats, SparseRows, Values, pack_rows


@dataclass(frozen=True)
class NeighbourScorer:
    kind: Kind
    factors: Values
    rows_of: SparseRows
    """Of each word the prompts that have it."""
    outcomes: Floats
    base: Floats
    count: int

    def score(self, inputs: Inputs) -> Floats:
        rows = inputs.rows(self.kind).scaled(self.factors)
        return np.stack([self._score_row(*rows.row(place)) for place in range(len(rows))])

    def _score_row(self, columns: Columns, values: Values) -> Floats:
        begins, ends = self.rows_of.starts[columns], self.rows_of.starts[columns + 1]
        lengths = ends - begins
        offsets = np.repeat(begins - np.concatenate(([0], np.cumsum(lengths)[:-1])), lengths)
        places = offsets + np.arange(len(offsets))
        alike: Floats = np.bincount(
            self.rows_of.columns[places],
            self.rows_of.values[places] * np.repeat(values, lengths),
            len(self.outcomes),
        ).astype(float)
        if self.count < len(alike):
            nearest = np.argpartition(alike, -self.count)[-self.count :]
            alike, outcomes = alike[nearest], self.outcomes[nearest]
        else:
            outcomes = self.outcomes
        return weighted_means(alike, outcomes, self.base)


@dataclass(frozen=True)
class NeighbourLearner:
    """Args:
    kind: what prompts are compared by.
    count: neighbours that are asked.
    most_columns: of each prompt, how many of its weightiest words are compared; what is left out saves space and time.
    """

    kind: Kind = "words"
    count: int = 300
    most_columns: int = 10_000

    @property
    def name(self) -> str:
        return f"neighbours by {self.kind}"

    def fit(self, inputs: Inputs, outcomes: Floats) -> Scorer:
        rows = inputs.rows(self.kind)
        factors = rarity(rows)
        kept = _keep_weightiest(rows.scaled(factors), self.most_columns)
        count = max(1, min(self.count, len(inputs) // 5))
        return NeighbourScorer(self.kind, factors, kept.by_column(), outcomes, mean_outcomes(outcomes), count)


def mean_outcomes(outcomes: Floats) -> Floats:
    """Of each model; 0 where nothing is graded."""
    graded = np.isfinite(outcomes)
    sums = np.where(graded, np.nan_to_num(outcomes), 0).sum(axis=0)
    means: Floats = sums / np.maximum(1, graded.sum(axis=0))
    return means


def weighted_means(weights: Floats, outcomes: Floats, base: Floats) -> Floats:
    """Of each model, over the prompts that are graded; where none weighs anything, the mean of all prompts.

    One neighbour's worth of the mean is added, so that a prompt that resembles nothing goes by the mean.
    """
    graded = np.isfinite(outcomes)
    added = 0.05
    above = weights @ np.where(graded, np.nan_to_num(outcomes), 0.0) + added * base
    means: Floats = above / (weights @ graded + added)
    return means


def _keep_weightiest(rows: SparseRows, most: int) -> SparseRows:
    if not len(rows) or int(np.diff(rows.starts).max()) <= most:
        return rows
    shortened = []
    for place in range(len(rows)):
        columns, values = rows.row(place)
        if len(columns) > most:
            weightiest = np.sort(np.argpartition(values, -most)[-most:])
            columns, values = columns[weightiest], values[weightiest]
        shortened.append((columns, values))
    return pack_rows(shortened, rows.width)
