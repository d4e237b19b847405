"""Sessions that were forked repeat the calls of the session that they came from.

Such calls are booked once, for the conversation in which they were seen first: in this import, or in one before it.
What another conversation goes on with then rests on calls that are booked elsewhere; so its next own call brings along
what its own calls have not brought. Either may be seen first, the fork or the session that it came from.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

import msgspec

from modicum.calls import Anatomy, Call, Problem, Segment
from modicum.context.breaks import VERSION
from modicum.context.conversations import FORMER
from modicum.importers.format import Found
from modicum.metering.digests import segment_version

BookedIn = Callable[[Sequence[str]], Mapping[str, str]]
"""Of these calls, those that a ledger knows, with the conversation that it has them under; `FORMER` behind its name
where their digests are of a former version, so that nothing new can rest on them."""

MOST_CALLS_A_QUERY = 20_000
"""Calls held back to ask the ledger about them together."""

CONTEXTS = 256
"""Conversations whose context is remembered, those that spoke last: logs hold few conversations side by side."""


@dataclass(slots=True)
class _Context:
    parts: list[Segment] = field(default_factory=list)
    own: int = 0
    """How many of the leading parts came with calls that are booked for this conversation."""
    is_of_former_version: bool = False
    """Whether the others came with calls of it that have the digests of a former version."""


def anchored(found: Iterable[Call | Problem], booked_in: BookedIn | None = None) -> Found:
    """The same calls in their order; one that rests on calls booked for another conversation brings their part along.

    `booked_in`: what a ledger knows of earlier imports. It is asked block by block, and calls come with their block.
    """
    owners: dict[str, str] = {}
    contexts: dict[str, _Context] = {}
    for item, booked in _ask_ledger(found, booked_in):
        if not isinstance(item, Call) or item.anatomy is None:
            yield item
            continue
        conversation = item.conversation or item.task
        owner = owners.setdefault(item.call_id, conversation if booked is None else booked)
        if owner == conversation + FORMER and all(segment_version(part.digest) < 2 for part in item.anatomy.added):
            owner = conversation  # its log has digests of its own, which know no versions
        context = contexts.pop(conversation, None) or _Context()
        kept = item.anatomy.kept_segments
        if not conversation or kept > len(context.parts):  # what it rests on was not seen, or is forgotten
            yield item
            continue
        del context.parts[kept:]
        context.parts.extend(item.anatomy.added)
        if owner != conversation:
            context.own = min(context.own, kept)
            context.is_of_former_version |= owner == conversation + FORMER
            yield item
        elif booked is None or item.anatomy.added:
            yield _anchored(item, item.anatomy, context) if context.own < kept else item
            context.own, context.is_of_former_version = len(context.parts), False
        else:
            yield item  # it is booked, and has nothing that tells of which version
        contexts[conversation] = context
        if len(contexts) > CONTEXTS:
            del contexts[next(iter(contexts))]


def _anchored(call: Call, anatomy: Anatomy, context: _Context) -> Call:
    own, added = context.parts[: context.own], context.parts[context.own :]
    tokens = sum(part.tokens for part in own)
    cause = VERSION if context.is_of_former_version else anatomy.break_cause
    return msgspec.structs.replace(call, anatomy=Anatomy(len(own), tokens, tuple(added), cause, anatomy.events))


def _ask_ledger(
    found: Iterable[Call | Problem], booked_in: BookedIn | None
) -> Iterator[tuple[Call | Problem, str | None]]:
    """What was found, calls with the conversation that the ledger has them under, if it has."""
    if booked_in is None:
        yield from ((item, None) for item in found)
        return
    items = iter(found)
    while block := list(islice(items, MOST_CALLS_A_QUERY)):
        calls = [item.call_id for item in block if isinstance(item, Call) and item.anatomy is not None]
        known = booked_in(calls) if calls else {}
        yield from ((item, known.get(item.call_id) if isinstance(item, Call) else None) for item in block)
