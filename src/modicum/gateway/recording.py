"""What is on record of calls: that they began, before they are sent; how they ended, before their reply is finished."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import TypeVar

import msgspec

from modicum.calls import Call, CallStatus, Edit
from modicum.gateway import meter
from modicum.gateway.anatomy import Anatomist, counted
from modicum.gateway.exchange import Exchange
from modicum.gateway.failures import Failed, contain_stage
from modicum.gateway.http.refusal import Refused
from modicum.gateway.meter import CountedUsage
from modicum.ledger.calls_in_flight import NoFreeSlot
from modicum.ledger.journal import Journal, NotDurable, Record
from modicum.metering.digests import Digester

T = TypeVar("T")

NOT_BELIEVED = frozenset({"not_believed", "first_of_two", "own_tool"})
"""Why an attempt was followed by another although its upstream had answered well."""
_pack = msgspec.msgpack.Encoder().encode


class Recorder:
    """Used from the event loop.

    Args:
        digester: of what contexts hold; None: they are not taken apart.
        failed: counts the failures of what is optional.
    """

    def __init__(self, journal: Journal, digester: Digester | None, failed: Failed) -> None:
        self.journal, self._failed = journal, failed
        self._anatomist = Anatomist(digester, self._record_context) if digester is not None else None
        self._ending: set[asyncio.Future[bool]] = set()

    def begin(self, exchange: Exchange) -> None:
        """From here on the call is on record.

        Raises:
            Refused: too many are under way.
        """
        upstream, about, started_s = exchange.route.upstream, exchange.about, exchange.timing.started_s
        exchange.begun = meter.begun_call(exchange.number, upstream.provider, exchange.route.model, about, started_s)
        try:
            exchange.slot = self.journal.begin(meter.begun_record(exchange.begun))
        except NoFreeSlot:
            raise Refused(503, "too many calls are under way; try again", "overloaded") from None

    async def end(self, exchange: Exchange) -> bool:
        """Makes the call's record durable. False: the disk refuses. Counting takes time; whoever ends this call
        meanwhile does not end that.
        """
        exchange.timing.finished_s = exchange.timing.now_s()
        if exchange.reply is not None and exchange.reply.usage_final and not exchange.edits:
            return await self._end(exchange)  # nothing is left to count
        ending = asyncio.ensure_future(self._end(exchange))
        self._ending.add(ending)
        ending.add_done_callback(self._ending.discard)
        return await asyncio.shield(ending)

    async def attempt(self, exchange: Exchange, failed: str) -> Call:
        """The record of an attempt that was not enough and is followed by another: an entry of its own. One that had a
        whole reply, which was not believed, stays what it was.
        """
        exchange.timing.finished_s = exchange.timing.now_s()
        has_broken_off = exchange.reply is None and exchange.answer is not None and exchange.answer.status
        if failed not in NOT_BELIEVED:
            exchange.status = CallStatus.ABORTED if has_broken_off else CallStatus.ERROR
        return meter.attempt_call(exchange, await self._usage(exchange), failed)

    async def add_attempt(self, exchange: Exchange, attempt: Call) -> bool:
        """Makes the record of a failed attempt durable. False: the disk refuses."""
        try:
            await self.journal.append(Record(f"{exchange.number}.{exchange.attempts}", "call", _pack(attempt)))
        except NotDurable:
            return False
        return True

    def begin_again(self, exchange: Exchange) -> None:
        """Another attempt of a call is under way."""
        route, about, started_s = exchange.route, exchange.about, exchange.timing.started_s
        exchange.begun = meter.begun_call(exchange.number, route.upstream.provider, route.model, about, started_s)
        self.journal.begin_again(exchange.slot, meter.begun_record(exchange.begun))

    @property
    def take_apart(self) -> Callable[[Exchange], None] | None:
        """Takes a context apart while its call is under way; None: the settings want no anatomy."""
        return None if self._anatomist is None else self._take_apart

    def close(self) -> None:
        if self._anatomist is not None:
            self._anatomist.close()

    async def _end(self, exchange: Exchange) -> bool:
        usage = await self._usage(exchange)
        edits = await self._edits(exchange, usage) if exchange.edits else ()
        exchange.finished = call = meter.finished_call(exchange, usage, edits)
        context = counted(exchange.context)
        exchange.late_context = context is None and exchange.context is not None
        record = Record(exchange.number, "call", _pack(call), None if context is None else _pack(context))
        try:
            await self.journal.finish(exchange.slot, record)
        except NotDurable:
            return False
        return True

    def _take_apart(self, exchange: Exchange) -> None:
        """A failure here costs the call its anatomy and nothing else."""
        assert self._anatomist is not None  # noqa: S101 - `take_apart` says so
        with contain_stage("anatomy", self._failed):
            self._anatomist.take(exchange)

    def _record_context(self, exchange: Exchange) -> None:
        """Records the context of a call that was recorded before its context was counted."""
        context = counted(exchange.context)
        if context is not None:
            self.journal.add(Record(exchange.number, "context", _pack(context)))

    async def _usage(self, exchange: Exchange) -> CountedUsage:
        """The usage as the provider counted it, or estimated in the thread that counts tokens. If that fails, nobody
        has counted.
        """
        if exchange.reply is not None and exchange.reply.usage_final:
            return meter.exact(exchange.reply)
        with contain_stage("usage", self._failed):
            return await self._counted(meter.estimated, exchange)
        return meter.UNCOUNTED

    async def _edits(self, exchange: Exchange, usage: CountedUsage) -> tuple[Edit, ...]:
        """What rules changed, with its tokens. A failure costs the call these and nothing else."""
        with contain_stage("edits", self._failed):
            count = partial(meter.counted_edits, sent_tokens=usage.usage.prompt_tokens)
            return await self._counted(count, exchange)
        return ()

    async def _counted(self, count: Callable[[Exchange], T], exchange: Exchange) -> T:
        """In the thread that counts tokens."""
        thread = self._anatomist.thread if self._anatomist is not None else None
        return await asyncio.get_running_loop().run_in_executor(thread, count, exchange)
