"""What came of the prompts that resemble this one most, weighted by how much they do."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from modicum.routing.inputs import Inputs, Kind
from modicum.routing.learners.learner import Scorer
from modicum.routing.learners.weighting import rarity
from modicum.routing.sparse_rows import Columns, Floats, Integers, SparseRows, Values, pack_rows

_ADDED = 0.05
"""Neighbours' worth of the mean of all prompts, so that a prompt that resembles nothing goes by that mean."""

MOST_ASKED = 48
"""Of a prompt's words, the weightiest that others are looked up by: what bounds the time for a long one."""
_PART = 5
"""Of so many rows one tells how alike the nearest are at least. Few are left to be sorted then."""
_LEAST_PART = 4


@dataclass(frozen=True)
class NeighbourScorer:
    kind: Kind
    factors: Values
    rows_of: SparseRows
    """Of each word the prompts that have it."""
    outcomes: Floats
    base: Floats
    count: int

    @cached_property
    def graded(self) -> Floats:
        """Of each prompt its outcomes, 0 where nobody knows, and beside them 1 for those that are known."""
        is_known = np.isfinite(self.outcomes)
        return np.hstack((np.where(is_known, self.outcomes, 0.0), is_known))

    @cached_property
    def postings(self) -> Integers:
        """Row and value of each of `rows_of` in one number of eight bytes, so that they are fetched at once."""
        postings = np.empty(len(self.rows_of.columns), np.int64)
        postings.view(np.int32)[::2] = self.rows_of.columns
        postings.view(np.float32)[1::2] = self.rows_of.values
        return postings

    def score(self, inputs: Inputs) -> Floats:
        rows = inputs.rows(self.kind).scaled(self.factors)
        return np.stack([self._score_row(*rows.row(place)) for place in range(len(rows))])

    def _score_row(self, columns: Columns, values: Values) -> Floats:
        if len(columns) > MOST_ASKED:
            weightiest = np.argpartition(values, -MOST_ASKED)[-MOST_ASKED:]
            columns, values = columns[weightiest], values[weightiest]
        alike = self.likeness(columns, values)
        nearest = nearest_rows(alike, self.count)
        sums = alike[nearest] @ self.graded[nearest]
        models = len(self.base)
        return _with_the_mean(sums[:models], sums[models:], self.base)

    def likeness(self, columns: Columns, values: Values) -> Floats:
        """How much each prompt resembles this one; 0 where they share no word."""
        begins = self.rows_of.starts[columns]
        lengths = self.rows_of.starts[columns + 1] - begins
        ends = np.cumsum(lengths)
        places = np.repeat(begins - ends + lengths, lengths)
        places += np.arange(len(places))
        postings = self.postings.take(places)
        shares = postings.view(np.float32)[1::2] * np.repeat(values, lengths)
        return np.bincount(postings.view(np.int32)[::2], shares, len(self.outcomes)).astype(float, copy=False)


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
    """Of each model, over the prompts that are graded; where none weighs anything, the mean of all prompts."""
    graded = np.isfinite(outcomes)
    return _with_the_mean(weights @ np.where(graded, np.nan_to_num(outcomes), 0.0), weights @ graded, base)


def _with_the_mean(above: Floats, below: Floats, base: Floats) -> Floats:
    means: Floats = (above + _ADDED * base) / (below + _ADDED)
    return means


def nearest_rows(alike: Floats, count: int) -> Integers:
    """The rows that resemble most; among equals at the edge the first ones, on every machine.

    Only rows that resemble at all are sorted: most share no word with a prompt, and a partition of many equal zeros
    takes more than ten times as long as all the rest of a decision by neighbours.
    """
    candidates = rows_in_reach(alike, count)
    if len(candidates) <= count:
        return candidates
    likeness = alike[candidates]
    least = np.partition(likeness, -count)[-count]
    surely = candidates[likeness > least]
    return np.concatenate((surely, candidates[likeness == least][: count - len(surely)]))


def rows_in_reach(alike: Floats, count: int) -> Integers:
    """The rows among which the nearest are: all that resemble at least as much as the last of the nearest in a part."""
    part = alike[: max(_LEAST_PART * count, len(alike) // _PART)]
    part = part[part > 0]
    if len(part) < count:
        return np.flatnonzero(alike > 0)
    return np.flatnonzero(alike >= np.partition(part, -count)[-count])


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
