"""From what passed to a `Call`: usage as the provider counted it or, where it did not, as we estimate it.

Never 0 for want of figures. What a provider answers with an error has no usage: its cost is unknown.
"""

import itertools
import secrets
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import NamedTuple

import msgspec

from modicum.calls import FAILED_ATTEMPT, NO_CHARGES, Basis, Call, CallStatus, Charges, Edit, Owner, Usage
from modicum.calls.provider_names import is_native_id
from modicum.gateway.callers.attribution import Attribution, short
from modicum.gateway.exchange import Exchange, is_unbilled
from modicum.gateway.http.codings import CODINGS, coding_of
from modicum.governance.budgets import RESERVED_TAG
from modicum.ledger.calls_in_flight import MOST_RECORD_BYTES
from modicum.metering.calibration import shipped_calibrations
from modicum.metering.tokens import count_tokens
from modicum.providers.facts import DialectError, ReplyFacts

SOURCE = "gateway"
REQUEST_ID_TAG = "request_id"
UNKNOWN_EVENTS_TAG = "unknown_events"
"""What of a stream nobody here knew, as `NAME 2, OTHER 1`."""
REVISION = 1 << 62
"""The gateway saw the whole call: its record stands above an agent's own log of the same call."""
MOST_BEGUN_BYTES = MOST_RECORD_BYTES
_pack = msgspec.msgpack.Encoder().encode


def call_id(number: str, reply_id: str) -> str:
    """The provider's id, so that an agent's log of the same call is known again; else our own number.

    Some servers give out short ids: such an id names no call. An id that came before is found when it is shipped
    (`ledger/identities.py`).
    """
    return reply_id if is_native_id(reply_id) else f"{SOURCE}:{number}"


class CountedUsage(NamedTuple):
    usage: Usage
    input_basis: Basis
    output_basis: Basis


UNCOUNTED = CountedUsage(Usage(), Basis.UNKNOWN, Basis.UNKNOWN)


def exact(reply: ReplyFacts) -> CountedUsage:
    assert reply.usage is not None  # noqa: S101 - `usage_final` says so
    basis = Basis.ESTIMATED if reply.is_doubted else Basis.EXACT
    return CountedUsage(reply.usage, basis, basis)


def estimated(exchange: Exchange) -> CountedUsage:
    """What can be said where the provider has not counted to the end. Takes time: tokens are counted.

    A provider's partial count of the input stands. Without any the request is counted as we would count it; without
    any reply at all, or with an error, nobody knows what was billed.
    """
    reply, model = exchange.reply, exchange.facts.model
    if not exchange.upstream_dialect.bills_text or (reply is not None and reply.pending):
        return UNCOUNTED
    if reply is not None and reply.usage is not None:
        basis = Basis.ESTIMATED if reply.is_doubted else Basis.EXACT
        return CountedUsage(_with_estimated_output(reply, reply.usage, model), basis, Basis.ESTIMATED)
    if exchange.status is CallStatus.ERROR or exchange.answer is None or exchange.answer.status != 200:
        return UNCOUNTED
    if coding_of(exchange.answer.headers) not in {b"", *CODINGS}:
        return UNCOUNTED  # it passed, and nobody could read it
    try:
        prompt = _prompt_tokens(exchange, exchange.with_line or exchange.edited)
    except DialectError:
        return UNCOUNTED
    usage = Usage(input_uncached=max(prompt, 1))
    return CountedUsage(
        _with_estimated_output(reply, usage, model) if reply is not None else usage, Basis.ESTIMATED, Basis.ESTIMATED
    )


def _prompt_tokens(exchange: Exchange, body: bytes) -> int:
    model = exchange.facts.model
    return fitted_count(
        exchange.request.served.dialect.prompt_tokens(body, lambda text: count_tokens(text, model)), model
    )


def fitted_count(counted: int, model: str) -> int:
    """A count as the model's own tokenizer would give it, where only a fitted line of it is known."""
    return shipped_calibrations().convert(counted, model).tokens


def counted_edits(exchange: Exchange, sent_tokens: int) -> tuple[Edit, ...]:
    """What rules changed, with the tokens of the prompt before and after. Takes time where texts are new.

    Args:
        exchange: the call.
        sent_tokens: of the prompt that was sent, as far as somebody has counted them; 0: nobody has.
    """
    edits: list[Edit] = []
    for pending in reversed(exchange.edits):
        if pending.texts is not None:
            sent_tokens = sent_tokens or _prompt_tokens(exchange, exchange.edited)
            before = sent_tokens + fitted_count(pending.texts.removed_tokens(), exchange.facts.model)
            edits.append(Edit(pending.rule, before, sent_tokens, pending.why))
            sent_tokens = before
        elif pending.before is None:
            edits.append(Edit(pending.rule, why=pending.why, basis=Basis.EXACT))
        else:
            before = _prompt_tokens(exchange, pending.before)
            after = 0 if pending.after is None else _prompt_tokens(exchange, pending.after)
            edits.append(Edit(pending.rule, before, after, pending.why))
    return tuple(reversed(edits))


def _with_estimated_output(facts: ReplyFacts, usage: Usage, model: str) -> Usage:
    """The output counted from the text that passed, if that is more than the provider has said so far."""
    counted = count_tokens(facts.output_text, model) if facts.output_text else 0
    if len(facts.output_text) < facts.output_chars:
        counted += (facts.output_chars - len(facts.output_text)) // 4
    counted = fitted_count(counted, model)
    visible = max(usage.output_visible, counted - (usage.completion_tokens - usage.output_visible))
    return msgspec.structs.replace(usage, output_visible=visible)


def begun_call(number: str, provider: str, model: str, about: Attribution, started_s: float) -> Call:
    """The record of a call of whose end nothing is known."""
    return Call(
        call_id=f"{SOURCE}:{number}",
        source=SOURCE,
        provider=provider,
        model=model,
        started=datetime.fromtimestamp(started_s, UTC),
        status=CallStatus.UNKNOWN,
        usage=Usage(),
        usage_basis=Basis.UNKNOWN,
        output_basis=Basis.UNKNOWN,
        task=about.task,
        conversation=about.conversation,
        agent=about.agent,
        project=about.project,
        owner=about.owner,
        tags=about.tags,
        revision=REVISION,
    )


def begun_record(begun: Call) -> bytes:
    """The record, small enough for a slot of the journal: tags (but for what is reserved) are left out first, then
    names.
    """
    record = _pack(begun)
    if len(record) > MOST_BEGUN_BYTES:
        reserved = {name: value for name, value in begun.tags.items() if name == RESERVED_TAG}
        begun = msgspec.structs.replace(begun, tags=reserved)
        record = _pack(begun)
    if len(record) > MOST_BEGUN_BYTES:
        record = _pack(msgspec.structs.replace(begun, owner=Owner(key=begun.owner.key), project="", agent=""))
    if len(record) > MOST_BEGUN_BYTES:
        bare = msgspec.structs.replace(begun, owner=Owner(), project="", agent="", task="", conversation="")
        record = _pack(msgspec.structs.replace(bare, model=begun.model[:64]))
    return record


def finished_call(exchange: Exchange, counted: CountedUsage, edits: tuple[Edit, ...] = ()) -> Call:
    """The record of a call that has ended, in whatever way."""
    begun, reply, timing = exchange.begun, exchange.reply, exchange.timing
    identity = call_id(exchange.number, reply.reply_id) if reply is not None else begun.call_id
    return Call(
        call_id=identity,
        source=SOURCE,
        provider=exchange.answered_by or exchange.route.upstream.provider,
        model=reply.model if reply is not None and reply.model else exchange.route.model,
        started=begun.started,
        first_token=_at(timing.first_token_s),
        finished=_at(timing.finished_s),
        status=exchange.status,
        finish_reason=(reply.finish_reason or reply.error_kind) if reply is not None else "",
        usage=counted.usage,
        usage_basis=counted.input_basis,
        output_basis=counted.output_basis,
        tier=reply.tier if reply is not None else begun.tier,
        charges=_charges(exchange),
        calls_count=0 if exchange.answered_by else 1,
        task=begun.task,
        conversation=begun.conversation,
        agent=begun.agent,
        project=begun.project,
        owner=begun.owner,
        tags=_with_request_id(_with_response_id(_tags(exchange), identity, reply), exchange),
        revision=REVISION,
        edits=edits,
    )


def attempt_call(exchange: Exchange, counted: CountedUsage, failed: str) -> Call:
    """The record of an attempt that failed. It counts as no call, since its call goes on, and costs what it cost."""
    call = finished_call(exchange, counted)
    number = f"{exchange.attempts}"
    return msgspec.structs.replace(
        call,
        call_id=f"{SOURCE}:{exchange.number}.{number}",
        calls_count=0,
        first_token=None,
        finish_reason=call.finish_reason or failed,
        tags={**call.tags, "attempt.of": exchange.number, "attempt": number, FAILED_ATTEMPT: failed},
    )


def _tags(exchange: Exchange) -> dict[str, str]:
    """The caller's and the rules'. What was reserved stays as long as it may have to stand for a cost."""
    tags = {**exchange.begun.tags, **exchange.tags} if exchange.tags else exchange.begun.tags
    if exchange.reply is not None and exchange.reply.unknown_events:
        tags = {**tags, UNKNOWN_EVENTS_TAG: _counts(exchange.reply.unknown_events)}
    if RESERVED_TAG in tags and is_unbilled(exchange):
        tags = {name: value for name, value in tags.items() if name != RESERVED_TAG}
    return tags


def _counts(events: Mapping[str, int]) -> str:
    return short(", ".join(f"{name} {count}" for name, count in events.items()))


def _charges(exchange: Exchange) -> Charges:
    """What the reply says is charged beside the tokens, and where the upstream's host serves."""
    charges = exchange.reply.charges if exchange.reply is not None else NO_CHARGES
    region = exchange.route.upstream.region
    return charges if charges.region or not region else msgspec.structs.replace(charges, region=region)


def _with_response_id(tags: dict[str, str], identity: str, reply: ReplyFacts | None) -> dict[str, str]:
    """The provider's own id, where it is not the call's: spans of the same call know it by that id."""
    if reply is None or identity == reply.reply_id or len(reply.reply_id) < 20:
        return tags
    return {**tags, "response_id": reply.reply_id[:200]}


def _with_request_id(tags: dict[str, str], exchange: Exchange) -> dict[str, str]:
    """What the provider called the request: its support asks for it, and so does whoever finds it in a client's log."""
    if exchange.answer is None:
        return tags
    id_header = exchange.upstream_dialect.api.request_id_header
    for name, value in exchange.answer.headers:
        if name == id_header:
            return {**tags, REQUEST_ID_TAG: short(value.decode("ascii", "replace"))}
    return tags


def numbers() -> Iterator[str]:
    """The gateway's own numbers of calls: unique across processes and restarts."""
    start = secrets.token_hex(8)
    return (f"{start}-{count:x}" for count in itertools.count(1))


def _at(seconds: float) -> datetime | None:
    return datetime.fromtimestamp(seconds, UTC) if seconds else None
