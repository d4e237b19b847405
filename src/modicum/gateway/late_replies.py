"""Replies that were not there when their call ended: responses written in the background, and read later by their id.

The call is on record when it was made, with usage that nobody knows. Whoever reads the finished response brings the
usage: the same call, by the provider's id, in a record that stands above the first. It has the first one's names where
this worker made the call, else those of the reader.
"""

from collections import OrderedDict
from datetime import UTC, datetime
from time import time

import msgspec

from modicum.calls import Basis, Call, CallStatus, Usage
from modicum.calls.provider_names import is_native_id
from modicum.gateway import meter
from modicum.gateway.callers.attribution import attribution
from modicum.gateway.exchange import Exchange, Request
from modicum.gateway.upstreams import Upstream
from modicum.ledger.journal import Journal, NotDurable, Record
from modicum.providers.facts import ReplyFacts, RequestFacts

MOST_REMEMBERED = 10_000
ABOVE = 16
"""How far the revision of a late record is above the call's own, which grows by one when its context comes late."""

_pack = msgspec.msgpack.Encoder().encode


class LateReplies:
    """The replies that one gateway process waits for."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._calls: OrderedDict[str, tuple[Call, str]] = OrderedDict()
        self._booked: OrderedDict[str, None] = OrderedDict()

    def remember(self, exchange: Exchange) -> None:
        """A call whose reply comes later."""
        if exchange.reply is not None and exchange.reply.pending and exchange.finished is not None:
            self._calls[exchange.reply.reply_id] = exchange.finished, exchange.route.upstream.name
            if len(self._calls) > MOST_REMEMBERED:
                self._calls.popitem(last=False)

    def upstream_name(self, reply_id: str) -> str:
        """Where the call of that reply went; empty: this worker does not know."""
        known = self._calls.get(reply_id)
        return known[1] if known is not None else ""

    async def record(self, request: Request, upstream: Upstream, reply: ReplyFacts) -> bool:
        """Books a reply that was written in the background and is over, once. False: the disk refuses."""
        identity = reply.reply_id
        if not reply.background or reply.pending or not is_native_id(identity) or identity in self._booked:
            return True
        call = _finished(self._first(request, upstream, reply), reply)
        try:
            # The number is the id itself: this is no other call that has the same one.
            await self._journal.append(Record(identity, "call", _pack(call)))
        except NotDurable:
            return False
        self._booked[identity] = None
        if len(self._booked) > MOST_REMEMBERED:
            self._booked.popitem(last=False)
        return True

    def _first(self, request: Request, upstream: Upstream, reply: ReplyFacts) -> Call:
        known = self._calls.get(reply.reply_id)
        if known is not None:
            return known[0]
        about = attribution(request.headers, RequestFacts(model=reply.model), request.caller.owner)
        return meter.begun_call(reply.reply_id, upstream.provider, reply.model, about, reply.created_s or time())


def _finished(first: Call, reply: ReplyFacts) -> Call:
    failed = bool(reply.error_kind)
    basis = Basis.EXACT if reply.usage_final else Basis.UNKNOWN
    return msgspec.structs.replace(
        first,
        call_id=reply.reply_id,
        model=reply.model or first.model,
        finished=max(datetime.now(UTC), first.started),
        status=CallStatus.ERROR if failed else CallStatus.OK if reply.complete else CallStatus.ABORTED,
        finish_reason=reply.finish_reason or reply.error_kind,
        usage=reply.usage or Usage(),
        usage_basis=basis,
        output_basis=basis,
        tier=reply.tier,
        charges=reply.charges,
        revision=meter.REVISION + ABOVE,
    )
