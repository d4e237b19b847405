"""The results of a batch, booked while they pass: one call a row, at half the price, each once however often read.

A row's id is its reply's or made of the batch's, so whoever reads the same results again, in whatever process, writes
the same record. The record of the batch itself says that nobody has counted, until all of them have passed.
"""

import hashlib
from datetime import UTC, datetime

import msgspec

from modicum.calls import OURSELVES, Basis, Call, CallStatus, Tier, Usage
from modicum.calls.provider_names import is_native_id
from modicum.gateway import meter
from modicum.gateway.late_replies import ABOVE
from modicum.ledger.journal import Journal, Record
from modicum.providers.batches.dialect import BatchPaths
from modicum.providers.facts import ReplyFacts
from modicum.providers.line_buffer import LineBuffer

COUNTED, UNDER_WAY, OVER = ABOVE, 2 * ABOVE, 3 * ABOVE
"""How far the revisions of a batch's record are above its first: its own sum stands until rows begin to pass, which
stand in its place."""
_pack = msgspec.msgpack.Encoder().encode


class BatchResults:
    """The results of one batch, as one caller reads them.

    Args:
        first: the record of the batch, or one in the reader's name.
        number: of that record in the journal; empty: the batch was not asked for here.
    """

    def __init__(self, journal: Journal, dialect: BatchPaths, batch_id: str, first: Call, number: str) -> None:
        self._journal, self._dialect, self._batch_id = journal, dialect, batch_id
        self._first, self._number = first, number
        self._lines = LineBuffer()
        self.usage = Usage()
        """Of all rows so far."""
        self.model = ""
        self.rows_count = 0

    async def take(self, chunk: bytes) -> None:
        """Books the rows that a piece makes whole. Returns when they are on the disk.

        Raises:
            NotDurable: the disk refuses.
        """
        await self._book(self._lines.feed(chunk))

    async def end(self) -> None:
        """All have passed.

        Raises:
            NotDurable: the disk refuses.
        """
        await self._book(self._lines.end())
        if self._number:
            nothing = msgspec.structs.replace(
                self._first,
                provider=OURSELVES,
                calls_count=0,
                status=CallStatus.OK,
                usage_basis=Basis.EXACT,
                output_basis=Basis.EXACT,
                finished=datetime.now(UTC),
                revision=meter.REVISION + OVER,
            )
            await self._journal.append(Record(self._number, "call", _pack(nothing)))

    async def _book(self, lines: bytes) -> None:
        records = [self._record(*found) for line in lines.splitlines() if (found := self._reply(line)) is not None]
        if not records:
            return
        if self._number and not self.rows_count:
            waiting = msgspec.structs.replace(self._first, revision=meter.REVISION + UNDER_WAY)
            self._journal.add(Record(self._number, "call", _pack(waiting)))
        self.rows_count += len(records)
        for record in records[:-1]:
            self._journal.add(record)
        await self._journal.append(records[-1])  # what was added before it is on the disk with it

    def _reply(self, line: bytes) -> tuple[str, ReplyFacts] | None:
        """Key and facts of a row that is charged."""
        row = self._dialect.shape.row(line)
        if row is None:
            return None
        facts = self._dialect.row_reply(bytes(row.reply))
        return (row.key, facts) if facts.usage is not None else None

    def _record(self, key: str, facts: ReplyFacts) -> Record:
        assert facts.usage is not None  # noqa: S101 - `_reply` says so
        self.usage += facts.usage
        self.model = facts.model or self.model
        identity = facts.reply_id if is_native_id(facts.reply_id) else f"{meter.SOURCE}:{self._batch_id}:{_digest(key)}"
        call = msgspec.structs.replace(
            self._first,
            call_id=identity,
            model=facts.model or self._first.model,
            finished=max(datetime.now(UTC), self._first.started),
            status=CallStatus.OK,
            finish_reason=facts.finish_reason,
            usage=facts.usage,
            usage_basis=Basis.EXACT,
            output_basis=Basis.EXACT,
            tier=Tier.BATCH,
            charges=facts.charges,
            calls_count=1,
            tags={**self._first.tags, "batch": self._batch_id[:200]},
            revision=meter.REVISION + ABOVE,
        )
        return Record(identity, "call", _pack(call))


def _digest(key: str) -> str:
    """What callers call their requests may be anything; it is not kept."""
    return hashlib.blake2b(key.encode("utf-8", "replace"), digest_size=12).hexdigest()
