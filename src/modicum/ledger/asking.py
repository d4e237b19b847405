"""What is the same on every engine: questions asked, entries and outcomes read back."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from modicum.calls import AuditEvent, EnergyWindow, Entry, Outcome
from modicum.context.conversations import FORMER
from modicum.ledger.columns import audit_from, energy_window_from, entry_from, outcome_from
from modicum.ledger.store import Row, bound, question_text
from modicum.metering.digests import SEGMENT_VERSION

PURGED = (
    "started < $before AND ($team = '' OR team = $team) AND ($app = '' OR app = $app)"
    " AND ($user = '' OR user_name = $user) AND ($key = '' OR key_name = $key)"
)
"""Which entries a `Purge` means."""


_SEGMENTS = """
SELECT segments.*, reuse.read_share AS read_share, reuse.revision AS later_calls
FROM (SELECT * FROM segments WHERE entry_id BETWEEN $first AND $last) AS segments
LEFT JOIN reuse ON reuse.entry_id = segments.entry_id AND reuse.digest = segments.digest
ORDER BY segments.entry_id, segments.position
"""


FORMER_DIGEST = f"(length(digest) = 32 OR (length(digest) = 34 AND substr(digest, 33, 2) <> '{SEGMENT_VERSION:02x}'))"
"""Whether a segment's digest is of a former version: the first one did not say its version."""


def marked(conversations: Mapping[str, str], former: Iterable[str]) -> dict[str, str]:
    """Where entries are booked; those that have digests of a former version are marked."""
    return {**conversations, **{entry_id: conversations[entry_id] + FORMER for entry_id in former}}


class Questions(ABC):
    """A store that can answer SQL; the engine says how."""

    @abstractmethod
    def _rows(self, sql: str, parameters: Mapping[str, Any]) -> list[Row]:
        """The rows of a query with `$name` parameters, times in UTC with zone."""

    def ask(self, question: str, **parameters: Any) -> list[Row]:
        return self._rows(question_text(question), bound(question, parameters))

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

    def energy(self, since: datetime, until: datetime) -> list[EnergyWindow]:
        return [energy_window_from(row) for row in self.ask("energy", since=since, until=until)]

    def audit(self) -> list[AuditEvent]:
        return [audit_from(row) for row in self.ask("audit")]

    def outcomes(self) -> list[Outcome]:
        return [outcome_from(row) for row in self._rows("SELECT * FROM outcomes ORDER BY outcome_id", {})]
