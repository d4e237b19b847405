"""How much a word says: the rarer, the more (inverse document frequency)."""

import numpy as np

from modicum.routing.sparse_rows import SparseRows, Values


def rarity(rows: SparseRows) -> Values:
    """The weight of each column. What stands in one row alone says nothing of any other, and weighs nothing."""
    rows_with = np.bincount(rows.columns, minlength=rows.width)
    weights = np.log((1 + len(rows)) / (1 + rows_with)) + 1
    weights[rows_with < min(2, len(rows))] = 0
    return weights.astype(np.float32)
