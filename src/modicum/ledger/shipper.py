"""Moves records from journals into the ledger, each booked once.

Reading goes on from the last position that was shipped; the position is written after the ledger has the records. If
the process ends in between, they are sent again, and the ledger knows them by id and revision. A journal that was set
back or replaced, which its position tells (`positions`), is shipped from its first record. What several gateway
processes recorded is brought together here: ids (`Identities`) and conversations (`Conversations`).
"""

import sqlite3
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from modicum.calls import Call, CallStatus, Entry, Problem
from modicum.calls.call import decode_call
from modicum.context.conversations import MOST_CONVERSATIONS, ContextPart, Conversations
from modicum.ledger import positions
from modicum.ledger.booking import book_all
from modicum.ledger.identities import opened_identities
from modicum.ledger.journal import SHIPPED, written_ns
from modicum.ledger.journals import Journals
from modicum.ledger.records import RECORDS
from modicum.ledger.store import Store
from modicum.metering.prices import PriceBook

AGAIN = "It is shipped from its first record again; nothing is counted twice"
BATCH = 2_000
"""Records of one journal that a round takes."""
REMEMBERED = timedelta(days=1)
"""A conversation that went on within this time before the start is known again."""

_context = msgspec.msgpack.Decoder(list[ContextPart])


class Shipped(msgspec.Struct):
    """What one round moved."""

    entries: list[Entry] = []
    records: dict[str, int] = {}
    """Other nouns than calls, by name of their table."""
    problems: list[Problem] = []
    more: bool = False
    """Whether a journal holds more than a round takes."""


class _Round(msgspec.Struct):
    """What one round read."""

    calls: list["_Read"] = []
    records: dict[str, list[Any]] = {}
    """Other nouns, by name of their table."""
    records_again: dict[str, list[tuple[int, Any]]] = {}
    """Those that may have been shipped before, with the time at which they were sent."""
    done: dict[Path, positions.Position] = {}


class _Read(NamedTuple):
    """One call as a journal has it."""

    number: str
    call: Call
    context: list[ContextPart] | None


class Shipper:
    """Brings the calls in the journals of gateways into the store: priced, each once.

    Args:
        folder: where gateways keep their journals.
    """

    def __init__(self, folder: Path, store: Store, prices: PriceBook) -> None:
        self._store, self._prices = store, prices
        self._journals = Journals(folder)
        self._identities, self._opening_problems = opened_identities(folder / "identities.db")
        self._conversations = Conversations()
        since = datetime.now(UTC) - REMEMBERED
        self._conversations.remember(store.ask("contexts", since=since, most=MOST_CONVERSATIONS))

    def ship(self) -> Shipped:
        """One round over all journals. Raises what the store raises; nothing is lost then, but the conversations may
        be ahead of the ledger: go on with a new shipper.
        """
        moved, found = Shipped(problems=self._opening_problems), _Round()
        self._opening_problems = []
        moved.problems += self._journals.each(lambda path, base: self._read(path, base, found, moved))
        moved.entries = self._booked(self._without_finished(found.calls))
        self._store.append(moved.entries)
        for name, again in found.records_again.items():
            times, records = zip(*again, strict=True)
            self._store.append_records(RECORDS[name], records, times)
            moved.records[name] = len(records)
        for name, fresh in found.records.items():
            self._store.append_records(RECORDS[name], fresh)
            moved.records[name] = moved.records.get(name, 0) + len(fresh)
        for path, position in found.done.items():
            positions.write(path, SHIPPED, position)
        return moved

    def close(self) -> None:
        self._journals.close()
        self._identities.close()

    def _read(self, path: Path, base: sqlite3.Connection, found: _Round, moved: Shipped) -> None:
        position, doubt = positions.resume(base, path, SHIPPED)
        if doubt:
            moved.problems.append(Problem(str(path), f"{doubt}. {AGAIN}"))
        begin, again_to = (0, 0) if position is None else (position.record, position.again_to)
        cursor = base.execute(
            "SELECT * FROM records WHERE seq > ? ORDER BY seq LIMIT ?",  # a former version's have no context
            (begin, BATCH),
        )
        count, fault = 0, None
        while True:
            try:
                row = cursor.fetchone()
            except sqlite3.Error as error:  # the rest cannot be read: what came before it is shipped all the same
                fault = error
                break
            if row is None:
                break
            count += 1
            self._take(path, base, row, found, moved, is_again=row[0] <= again_to)
            begin = row[0]
        if count:
            found.done[path] = positions.at(base, begin, again_to)
        moved.more |= count == BATCH
        if fault is not None:
            raise fault

    def _take(
        self,
        path: Path,
        base: sqlite3.Connection,
        row: Sequence[Any],
        found: _Round,
        moved: Shipped,
        *,
        is_again: bool,
    ) -> None:
        seq, number, kind, body, *context = row
        try:
            if kind == "call":
                parts = _context.decode(context[0]) if any(context) else None
                found.calls.append(_Read(number, decode_call(body), parts))
            elif kind == "context":
                found.calls += _with_context(base, number, _context.decode(body))
            elif table := next((table for table in RECORDS.values() if table.journal_kind == kind), None):
                record = msgspec.msgpack.decode(body, type=table.noun)
                if is_again:
                    found.records_again.setdefault(table.name, []).append((written_ns(number), record))
                else:
                    found.records.setdefault(table.name, []).append(record)
            else:
                moved.problems.append(Problem(str(path), f"record {seq} is of an unknown kind ({kind})"))
        except (msgspec.DecodeError, TypeError, ValueError):
            moved.problems.append(Problem(str(path), f"record {seq} ({kind}) cannot be read"))

    def _without_finished(self, calls: list[_Read]) -> list[_Read]:
        """Without those that came back as unknown although the ledger has their end: the file of calls under way may
        be an old one, too. Such a call may be booked under its provider's id, so it is known by key and beginning.
        """
        unknown = [read.call.started for read in calls if read.call.status is CallStatus.UNKNOWN]
        if not unknown:
            return calls
        rows = self._store.ask("gateway_starts", since=min(unknown), until=max(unknown))
        finished = {(row["key_name"], row["started"]) for row in rows}
        return [
            read
            for read in calls
            if read.call.status is not CallStatus.UNKNOWN or (read.call.owner.key, read.call.started) not in finished
        ]

    def _booked(self, calls: list[_Read]) -> list[Entry]:
        """What went through several processes in the order in which it began."""
        calls.sort(key=lambda read: read.call.started)
        # A record whose number is the provider's id tells the end of the call of that id (gateway/late_replies.py).
        named = [
            (read.call.call_id, read.number) for read in calls if read.call.call_id not in {_own_id(read), read.number}
        ]
        first = self._identities.first(named)
        ready = []
        for read in calls:
            call = read.call
            if call.call_id != read.number and first.get(call.call_id, read.number) != read.number:
                call = msgspec.structs.replace(call, call_id=_own_id(read))
            if read.context is not None:
                call = self._conversations.placed(call, read.context, read.number)
            ready.append(call)
        return list(book_all(ready, self._prices))


def _own_id(read: _Read) -> str:
    return f"{read.call.source}:{read.number}"


def _with_context(base: sqlite3.Connection, number: str, context: list[ContextPart]) -> list[_Read]:
    """The call again, with the context that was counted only after it had been recorded."""
    row = base.execute(
        "SELECT body FROM records WHERE number = ? AND kind = 'call' ORDER BY seq DESC LIMIT 1", (number,)
    ).fetchone()
    if row is None:
        return []
    call = decode_call(row[0])
    return [_Read(number, msgspec.structs.replace(call, revision=call.revision + 1), context)]
