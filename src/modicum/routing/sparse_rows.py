"""Rows of which most columns are 0, and the three things that learners do with them. Needs numpy alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Columns = NDArray[np.int32]
Values = NDArray[np.float32]
Row = tuple[Columns, Values]


@dataclass(frozen=True)
class SparseRows:
    """Rows one behind the other: row i stands from starts[i] to starts[i + 1]."""

    starts: Integers
    columns: Columns
    values: Values
    width: int

    def __len__(self) -> int:
        return len(self.starts) - 1

    @cached_property
    def row_of(self) -> Columns:
        """The row of every value."""
        if len(self) == 1:
            return np.zeros(len(self.columns), np.int32)
        return np.repeat(np.arange(len(self), dtype=np.int32), np.diff(self.starts))

    def row(self, place: int) -> Row:
        begin, end = self.starts[place], self.starts[place + 1]
        return self.columns[begin:end], self.values[begin:end]

    def take(self, places: Integers) -> "SparseRows":
        """These rows, in this order."""
        return pack_rows([self.row(int(place)) for place in places], self.width)

    def scaled(self, factors: Values) -> "SparseRows":
        """Each column times its factor, then each row brought to length 1."""
        values = self.values * factors.take(self.columns)
        if len(self) == 1:  # a call that waits for its decision
            length = np.sqrt(values @ values) or np.float32(1)
            return SparseRows(self.starts, self.columns, values / length, self.width)
        rows = self.row_of
        lengths = np.sqrt(self._sums((values * values).astype(float)))
        lengths[lengths == 0] = 1
        return SparseRows(self.starts, self.columns, (values / lengths[rows]).astype(np.float32), self.width)

    def narrow(self, columns: Integers) -> "SparseRows":
        """Only these columns, which must be in order, numbered anew: what is 0 everywhere need not be counted with."""
        places = np.full(self.width, -1, np.int32)
        places[columns] = np.arange(len(columns), dtype=np.int32)
        moved = places.take(self.columns)
        is_left = moved >= 0
        starts = np.concatenate(([0], np.cumsum(is_left)))[self.starts]
        return SparseRows(starts, moved[is_left], self.values[is_left], len(columns))

    def times(self, vector: Floats) -> Floats:
        """The product with a vector of as many numbers as there are columns."""
        if len(self) == 1:
            return np.array([self.values @ vector.take(self.columns)])
        return self._sums(self.values * vector.take(self.columns))

    def _sums(self, values: Floats) -> Floats:
        """Of each row: reduced in one pass, five times as fast as counting them into their rows."""
        sums = np.zeros(len(self))
        is_filled = self.starts[1:] > self.starts[:-1]
        if is_filled.any():
            sums[is_filled] = np.add.reduceat(values, self.starts[:-1][is_filled])
        return sums

    def transposed_times(self, vector: Floats) -> Floats:
        """The product of the transposed rows with a vector of as many numbers as there are rows."""
        product: Floats = np.bincount(self.columns, self.values * vector[self.row_of], self.width).astype(float)
        return product

    def by_column(self) -> "SparseRows":
        """Transposed: of each column the rows that have it. Its columns are rows."""
        order = np.argsort(self.columns, kind="stable")
        counts = np.bincount(self.columns, minlength=self.width)
        starts = np.concatenate(([0], np.cumsum(counts)))
        return SparseRows(starts, self.row_of[order], self.values[order], len(self))


def pack_rows(rows: Sequence[Row], width: int) -> SparseRows:
    starts = np.concatenate(([0], np.cumsum([len(columns) for columns, _ in rows]))).astype(np.int64)
    if not rows:
        return SparseRows(starts, np.empty(0, np.int32), np.empty(0, np.float32), width)
    columns = np.concatenate([columns for columns, _ in rows]).astype(np.int32, copy=False)
    values = np.concatenate([values for _, values in rows]).astype(np.float32, copy=False)
    return SparseRows(starts, columns, values, width)
