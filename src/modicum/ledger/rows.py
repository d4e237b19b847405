"""What stores give and take: rows, arrays per column, and values per column on their way in."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy.typing as npt

Row = dict[str, Any]
"""One row of an answer: value by name of the column. Times are UTC with zone, money is Decimal."""
Arrays = dict[str, "npt.NDArray[Any]"]
"""An answer of millions of rows: an array by name of the column."""
Columns = dict[str, list[Any]]
"""Records to be booked: values by name of the column, all of one length."""
