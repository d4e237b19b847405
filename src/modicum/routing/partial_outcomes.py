"""Tasks that were done by one model each: what every model would have made of each, as far as that can be known.

A log shows what the chosen model made of a task, never what another would have. What a choice of models comes to is
estimated doubly robustly (Dudík, Langford, Li 2011): by what is expected of each model, corrected where its outcome is
known, the more the rarer that model was. Without bias only where models were drawn by lot, as experiments draw them.
"""

import math

import numpy as np

from modicum.routing.sparse_rows import Floats, Integers

LEAST_SHARE = 0.05
"""A model that did fewer of the tasks is corrected as if it had done so many: else single tasks would decide."""


def estimate_outcomes(outcomes: Floats, expected: Floats) -> Floats:
    """Outcomes without gaps, whose means over many rows are right; single ones may lie outside 0..1.

    Args:
        outcomes: a row per task, a column per model; NaN where nobody knows.
        expected: the same, by who had not seen these rows.

    Returns:
        The outcomes themselves where all are known.
    """
    is_graded = np.isfinite(outcomes)
    if is_graded.all():
        return outcomes
    shares = np.maximum(is_graded.mean(axis=0), LEAST_SHARE)
    likely = np.clip(expected, 0.0, 1.0)
    estimated: Floats = likely + np.where(is_graded, np.nan_to_num(outcomes) - likely, 0.0) / shares
    return estimated


def standard_error(changes: Floats, groups: Integers | None = None) -> float:
    """Of the mean of the changes; rows of one group (steps of one task) are no independent ones.

    Args:
        changes: of each row.
        groups: a number for each row; None: all are independent.
    """
    count = len(changes)
    if count < 2:
        return 0.0
    if groups is None:
        return float(changes.std()) / math.sqrt(count)
    numbers: Integers = np.unique(groups, return_inverse=True)[1]
    sums = np.bincount(numbers, changes - changes.mean()).astype(float)
    return math.sqrt(float(sums @ sums)) / count
