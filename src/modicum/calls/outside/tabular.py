"""Figures as rows, for notebooks and for frames of other libraries."""

import html
from collections.abc import Mapping
from decimal import Decimal
from enum import Enum
from importlib import import_module
from typing import Any

from modicum.calls.errors import UserError

MOST_SHOWN = 60
"""Rows of a table in a notebook; `to_dicts` has all."""


class Tabular:
    """What can be had as rows.

    `to_dicts` is what a class must give; frames are made of it. Neither pandas nor polars is a dependency.
    """

    __slots__ = ()

    def to_dicts(self) -> list[dict[str, Any]]:
        """One dictionary a row, as `--json` of the verb has it: dollars are decimals, what is unknown is None."""
        raise NotImplementedError

    def to_pandas(self) -> Any:
        """A `pandas.DataFrame` of flat columns (`usage.cache_read`); dollars become floats.

        Raises:
            UserError: pandas is not installed, or too old for the numpy that is.
        """
        return _import("pandas").DataFrame(self._flat_rows())

    def to_polars(self) -> Any:
        """A `polars.DataFrame`, as `to_pandas`, for polars.

        Raises:
            UserError: polars is not installed.
        """
        return _import("polars").DataFrame(self._flat_rows(), infer_schema_length=None)

    def _flat_rows(self) -> list[dict[str, Any]]:
        rows = [dict(_flatten(row)) for row in self.to_dicts()]
        columns = dict.fromkeys(name for row in rows for name in row)
        return [{name: row.get(name) for name in columns} for row in rows]

    def _repr_html_(self) -> str:
        """The first rows, for notebooks."""
        rows = self._flat_rows()[:MOST_SHOWN]
        columns = [name for name in (rows[0] if rows else {}) if any(row[name] not in (None, "", 0) for row in rows)]
        head = "".join(f"<th>{html.escape(name)}</th>" for name in columns)
        body = "".join(
            "<tr>" + "".join(f"<td>{html.escape(_shown(row[name]))}</td>" for name in columns) + "</tr>" for row in rows
        )
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _import(library: str) -> Any:
    try:
        return import_module(library)
    except ImportError:
        raise UserError(
            f"{library} is not installed: 'pip install {library}', or take to_dicts(), which needs none"
        ) from None
    except (AttributeError, ValueError) as error:  # built for another numpy: pandas 1 beside numpy 2
        raise UserError(
            f"{library} cannot be loaded with the other packages here ({error}): 'pip install --upgrade {library}', or "
            "take to_dicts(), which needs none"
        ) from None


def _flatten(row: Mapping[str, Any], above: str = "") -> list[tuple[str, Any]]:
    flat: list[tuple[str, Any]] = []
    for name, value in row.items():
        if isinstance(value, Mapping):
            flat += _flatten(value, f"{above}{name}.")
        else:
            flat.append((f"{above}{name}", _plain(value)))
    return flat


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return float(value)
    return value.value if isinstance(value, Enum) else value


def _shown(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:,.4f}" if isinstance(value, float) else f"{value:,}" if type(value) is int else str(value)
