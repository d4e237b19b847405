"""POST /outcomes: what came of a task, sent by whoever knows."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime

import msgspec

from modicum.calls import Outcome
from modicum.calls.outcome import checked_time
from modicum.gateway.callers.owners import Caller, Owners
from modicum.gateway.http.client import Client, retry_header
from modicum.gateway.http.refusal import Refused
from modicum.ledger.journal import Journal, NotDurable, Record
from modicum.outbound.keepalive import Header

MOST_OUTCOMES = 1_000
_JSON = [(b"content-type", b"application/json")]


class PostedOutcome(msgspec.Struct, forbid_unknown_fields=True):
    """One outcome: `{"task": "PR-12", "name": "merged", "value": 1}`."""

    task: str
    name: str
    value: float
    time: datetime | None = None
    id: str = ""
    """The sender's own name for it, so that sending it twice counts once."""


Graded = Callable[[Sequence[Outcome]], Awaitable[None]]


def both_graded(one: Graded, other: Graded | None) -> Graded:
    """Two who want to know of outcomes, as one."""
    if other is None:
        return one

    async def graded(outcomes: Sequence[Outcome]) -> None:
        await one(outcomes)
        await other(outcomes)

    return graded


_decoder = msgspec.json.Decoder(PostedOutcome | list[PostedOutcome])
_pack = msgspec.msgpack.Encoder().encode


async def take_outcomes(
    owners: Owners,
    journal: Journal,
    method: str,
    headers: Mapping[bytes, bytes],
    read: Callable[[], Awaitable[bytes]],
    client: Client,
    graded: Graded | None = None,
) -> None:
    """Answers when the outcomes are durable. Needs a modicum key; the body is read once that is known. `graded` is
    told of them.
    """
    try:
        caller = _checked(owners, method, headers)
        outcomes = [_outcome(one, caller) for one in _decoded(await read())]
        await record_outcomes(journal, graded, outcomes)
    except Refused as refusal:
        told_why = {"error": {"message": refusal.message, "type": refusal.kind}}
        await _answer(client, refusal.status, told_why, retry_header(refusal.kind))
    except NotDurable:
        await _answer(client, 503, {"error": {"message": "the outcome could not be recorded", "type": "unavailable"}})
    else:
        await _answer(client, 200, {"outcomes": len(outcomes)})


async def record_outcomes(journal: Journal, graded: Graded | None, outcomes: Sequence[Outcome]) -> None:
    """Keeps outcomes, durably, and tells `graded` of them.

    Raises:
        NotDurable: they are not on the disk.
    """
    for one in outcomes:
        await journal.append(Record("", "outcome", _pack(one)))
    if graded is not None:
        await graded(outcomes)


def _checked(owners: Owners, method: str, headers: Mapping[bytes, bytes]) -> Caller:
    if method != "POST":
        raise Refused(405, "/outcomes takes POST", "method_not_allowed")
    caller = owners.identify(headers, b"")
    if caller.own_key is not None:
        raise Refused(401, "outcomes need a modicum key; 'modicum key create NAME' makes one", "unknown_key")
    return caller


def _decoded(body: bytes) -> list[PostedOutcome]:
    try:
        document = _decoder.decode(body)
    except (msgspec.ValidationError, msgspec.DecodeError) as error:
        raise Refused(400, f"no outcome: {error}", "invalid_request") from None
    outcomes = document if isinstance(document, list) else [document]
    if len(outcomes) > MOST_OUTCOMES:
        raise Refused(413, f"at most {MOST_OUTCOMES:,} outcomes at once", "too_large")
    if any(one.value != one.value or one.value in {float("inf"), float("-inf")} for one in outcomes):
        raise Refused(400, "no outcome: the value is no finite number", "invalid_request")
    if not all(one.task and one.name for one in outcomes):
        raise Refused(400, "no outcome: task and name may not be empty", "invalid_request")
    return outcomes


def _outcome(posted: PostedOutcome, caller: Caller) -> Outcome:
    """It belongs to the key that reported it: its id holds the key's, so that no other key's report replaces it."""
    try:
        at = checked_time(posted.time or datetime.now(UTC))
    except ValueError as error:
        raise Refused(400, f"no outcome: {error}", "invalid_request") from None
    return Outcome(
        outcome_id=f"gateway:{caller.key_id}:{posted.id or f'{posted.task}|{posted.name}|{at.isoformat()}'}",
        task=posted.task,
        name=posted.name,
        value=posted.value,
        time=at,
        source=f"gateway, sent with key {caller.owner.key}",
    )


async def _answer(client: Client, status: int, document: object, more: Sequence[Header] = ()) -> None:
    client.prepare(status, [*_JSON, *more])
    await client.finish(msgspec.json.encode(document))
