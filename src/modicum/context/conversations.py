"""Which conversation a gateway's call continues, and what of its context is new there.

A gateway process records of each call the digests of its whole context, and knows nothing of other calls. Contexts are
put into their conversations here, in the one process that writes the ledger: so it does not matter which gateway
process a call went through, or whether that one was restarted in between, and no segment is booked twice for one life.

A conversation is known by name (a header, the request's metadata) or by its context: a call continues the conversation
with which it shares the longest run of leading parts, if that run goes beyond the system prompt and the tools, which
many conversations share. Only digests are kept, never text.
"""

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple

import msgspec

from modicum.calls import Anatomy, Basis, Call, Segment, SegmentKind
from modicum.context.breaks import cause_of_break, kept_count
from modicum.privacy.tags import LOOKED_AT, seen_tags

MOST_CONVERSATIONS = 5_000
MOST_PARTS = 1_000_000
INFERRED_TAG = "task.inferred"
"""Of a call whose client names no session: calls whose contexts continue each other are one task."""
FORMER = "\n(digests of a former version)"
"""Stands behind the name of a conversation where a ledger has the digests of a call in a former version."""

_HEAD = (SegmentKind.SYSTEM, SegmentKind.TOOL_SCHEMA, SegmentKind.PREFIX)


class ContextPart(msgspec.Struct, gc=False, array_like=True):
    """One segment of a context, as a gateway process records it. Fields as in `Segment`."""

    kind: SegmentKind
    tool: str
    digest: bytes
    detail: bytes
    is_error: bool
    tokens: int | None
    """None: not counted yet; never so in a record."""
    seen: dict[str, int] | None = None
    """Secrets and personal data in its text, by kind (`privacy.detection`). None: nobody looked."""
    basis: Basis = Basis.ESTIMATED


class _Latest(NamedTuple):
    parts: list[ContextPart]
    chains: list[int]
    turn: int


class Conversations:
    """The newest context of each conversation, within fixed bounds."""

    def __init__(self) -> None:
        self._latest: OrderedDict[str, _Latest] = OrderedDict()
        self._by_chain: dict[int, str] = {}
        self._parts = 0

    def remember(self, rows: Iterable[dict[str, Any]]) -> None:
        """Takes in what the ledger has, as the question `contexts` tells it: one row a segment, in order."""
        for name, found in groupby(rows, itemgetter("conversation")):
            segments = list(found)
            if [row["position"] for row in segments] != list(range(len(segments))):
                continue  # a part of it was forgotten: what is left would claim too little was kept
            parts = [
                ContextPart(
                    SegmentKind(row["kind"]),
                    row["tool"],
                    bytes.fromhex(row["digest"]),
                    bytes.fromhex(row["detail"]),
                    bool(row["is_error"]),
                    row["tokens"],
                    None,
                    Basis(row["basis"]),
                )
                for row in segments
            ]
            scope, turn = segments[0]["key_name"], segments[0]["turn"]
            self._remember(name, _Latest(parts, _chains(scope, parts), turn))

    def placed(self, call: Call, context: list[ContextPart], number: str) -> Call:
        """The call in its conversation, with its anatomy; the conversation's newest context is now this one.

        Without a name, conversations of one key only continue each other, and `number` names a new one. Calls of a
        conversation are numbered (`turn`) in the order in which they come here, which is the order that `kept` is
        about.
        """
        chains = _chains(call.owner.key, context)
        conversation = call.conversation or self._continued(context, chains) or number
        before = self._latest.get(conversation)
        old: Sequence[ContextPart] = before.parts if before is not None else ()
        kept = kept_count(old, context)
        parts = [*old[:kept], *context[kept:]]
        turn = before.turn + 1 if before is not None else 0
        self._remember(conversation, _Latest(parts, chains, turn))
        anatomy = Anatomy(
            kept,
            sum(part.tokens or 0 for part in parts[:kept]),
            tuple(
                Segment(part.kind, part.tokens or 0, part.digest, part.tool, part.detail, part.is_error, part.basis)
                for part in context[kept:]
            ),
            cause_of_break(old[kept:], context[kept:]),
        )
        tags = call.tags | _seen_tags(context[kept:])
        if not call.task:
            tags[INFERRED_TAG] = "context"
        return msgspec.structs.replace(
            call, conversation=conversation, task=call.task or conversation, turn=turn, anatomy=anatomy, tags=tags
        )

    def _continued(self, parts: Sequence[ContextPart], chains: Sequence[int]) -> str:
        for position in range(len(parts) - 1, -1, -1):
            if parts[position].kind in _HEAD:
                return ""
            found = self._by_chain.get(chains[position])
            if found is not None and found in self._latest:
                return found
        return ""

    def _remember(self, conversation: str, latest: _Latest) -> None:
        old = self._latest.pop(conversation, None)
        if old is not None:
            self._forget(conversation, old)
        self._latest[conversation] = latest
        self._parts += len(latest.parts)
        for chain in latest.chains:
            self._by_chain[chain] = conversation
        while len(self._latest) > 1 and (len(self._latest) > MOST_CONVERSATIONS or self._parts > MOST_PARTS):
            self._forget(*self._latest.popitem(last=False))

    def _forget(self, conversation: str, old: _Latest) -> None:
        self._parts -= len(old.parts)
        for chain in old.chains:
            if self._by_chain.get(chain) == conversation:
                del self._by_chain[chain]


def _chains(scope: str, parts: Sequence[ContextPart]) -> list[int]:
    """For each position a number that stands for everything up to it."""
    chain = hash(scope)
    chains = []
    for part in parts:
        chain = hash((chain, part.digest, part.kind, part.tool))
        chains.append(chain)
    return chains


def _seen_tags(added: Sequence[ContextPart]) -> dict[str, str]:
    """What was seen in texts that are sent for the first time; each text counts once."""
    found = {part.digest: part.seen for part in added}
    counts = seen_tags(seen for seen in found.values() if seen)
    return counts if None in found.values() else counts | {LOOKED_AT: "all"}
