"""What is the same on both engines: questions asked, entries and records read back."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt

from modicum.calls import Entry
from modicum.context.conversations import FORMER
from modicum.ledger.asking.question_files import prepare
from modicum.ledger.columns import entry_from
from modicum.ledger.record_table import N, RecordTable
from modicum.ledger.rows import Row
from modicum.metering.digests import SEGMENT_VERSION

PURGED = (
    "started < $before AND ($team = '' OR team = $team) AND ($app = '' OR app = $app)"
    " AND ($user = '' OR user_name = $user) AND ($key = '' OR key_name = $key)"
)
"""Which entries a `Purge` means."""


FORMER_DIGEST = f"(length(digest) = 32 OR (length(digest) = 34 AND substr(digest, 33, 2) <> '{SEGMENT_VERSION:02x}'))"
"""Whether a segment's digest is of a former version: the first one did not say its version."""


def mark_former(conversations: Mapping[str, str], former: Iterable[str]) -> dict[str, str]:
    """Where entries are booked; those that have digests of a former version are marked."""
    return {**conversations, **{entry_id: conversations[entry_id] + FORMER for entry_id in former}}


_SEGMENTS = """
SELECT segments.*, reuse.read_share AS read_share, reuse.revision AS later_calls
FROM (SELECT * FROM segments WHERE entry_id BETWEEN $first AND $last) AS segments
LEFT JOIN reuse ON reuse.entry_id = segments.entry_id AND reuse.digest = segments.digest
ORDER BY segments.entry_id, segments.position
"""


class SqlStore(ABC):
    """The reading half of a store, for an engine that says how it answers SQL."""

    @abstractmethod
    def _rows(self, sql: str, parameters: Mapping[str, Any]) -> list[Row]:
        """The rows of a query with `$name` parameters, times in UTC with zone."""

    @abstractmethod
    def _figure_rows(self, text: str, parameters: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
        """Writes out `$figures` in a question, with days that were summed where that is the same."""

    def ask(self, question: str, **parameters: Any) -> list[Row]:
        return self._rows(*prepare(question, parameters, self._figure_rows))

    def entries(self, batch: int = 10_000, after: str = "") -> Iterator[list[Entry]]:
        while rows := self._rows(
            "SELECT * FROM entries WHERE entry_id > $after ORDER BY entry_id LIMIT $batch",
            {"after": after, "batch": batch},
        ):
            first, after = rows[0]["entry_id"], rows[-1]["entry_id"]
            parts: dict[str, list[Row]] = {}
            for part in self._rows(_SEGMENTS, {"first": first, "last": after}):
                parts.setdefault(part["entry_id"], []).append(part)
            edits: dict[str, list[Row]] = {}
            for edit in self._rows(
                "SELECT * FROM edits WHERE entry_id BETWEEN $first AND $last ORDER BY entry_id, place",
                {"first": first, "last": after},
            ):
                edits.setdefault(edit["entry_id"], []).append(edit)
            yield [entry_from(row, parts.get(row["entry_id"], []), edits.get(row["entry_id"], [])) for row in rows]

    def records(
        self,
        table: RecordTable[N],
        since: datetime | None = None,
        until: datetime | None = None,
        *,
        after: N | None = None,
        most: int | None = None,
    ) -> list[N]:
        conditions, parameters = [], dict[str, Any]()
        if since is not None:
            conditions.append(f"{table.time} >= $since")
            parameters["since"] = since
        if until is not None:
            conditions.append(f"{table.time} < $until")
            parameters["until"] = until
        if after is not None:
            # The first condition follows from the second, and lets an engine leave out what lies before.
            conditions.append(f"{table.time} >= $time")
            conditions.append(f"({table.time} > $time OR {table.identity} > $identity)")
            parameters["time"], parameters["identity"] = table.place_of(after)
        where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
        limit = ""
        if most is not None:
            limit, parameters["most"] = " LIMIT $most", most
        rows = self._rows(
            f"SELECT {', '.join(table.kinds)} FROM {table.name}{where} ORDER BY {table.time}, {table.identity}{limit}",
            parameters,
        )
        return [table.from_row(row) for row in rows]


def plain_array(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """A column of an engine as `ask_columns` promises it.

    Raises:
        ValueError: a column of whole numbers has a NULL: the question should have said what that means.
    """
    absent = np.ma.getmaskarray(values) if isinstance(values, np.ma.MaskedArray) else None
    if values.dtype.kind == "f":
        return np.asarray(np.ma.filled(values.astype(np.float64), np.nan))
    if values.dtype.kind in "iub":
        if absent is not None and absent.any():
            raise ValueError("a column of whole numbers holds NULL")
        return np.asarray(values).astype(np.int64, copy=False)
    return np.asarray(values, dtype=object)
