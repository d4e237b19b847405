"""Recorded Anthropic traffic: Messages bodies, bare or as pairs, streams, and batch results.

Traps, each with a fixture:

- `input_tokens` excludes what was read from and written to the cache; writes for an hour stand apart.
- In a stream the first event holds the input, and the last ones the final output.
- Batch results are billed at the batch price. Neither they nor any Messages body has a time: where the record around it
  has none, the day of the file stands for it, and that is reported.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from modicum.calls import Basis, Call, CallStatus, Problem, Tier, Usage
from modicum.calls.provider_names import is_native_id
from modicum.calls.words.counted_nouns import number_of
from modicum.importers.claude_code.usage import provider_of
from modicum.importers.format import Found, LogFormat, Reading
from modicum.importers.recorded.exchanges import (
    RecordedContexts,
    RecordedExchange,
    exchanges,
    file_time,
    first_record,
    status_of,
)
from modicum.providers.anthropic_messages.blocks import request_blocks
from modicum.providers.anthropic_messages.replies import joined
from modicum.providers.anthropic_messages.usage import bases_of, charges_from, tier_from, usage_from
from modicum.providers.blocks import canonical
from modicum.providers.cache_diagnostics import cache_miss_from
from modicum.providers.fields import listed, mapping, text
from modicum.providers.message_blocks import reply_blocks

NAME = "anthropic"
NOT_RUN = {"errored", "canceled", "expired"}


def read(path: Path, reading: Reading) -> Found:
    contexts = RecordedContexts(NAME, reading)
    timeless = 0
    for found in exchanges(path):
        if isinstance(found, Problem):
            yield found
            continue
        result = mapping(found.record.get("result"))
        if text(result.get("type")) in NOT_RUN:
            yield Problem(str(path), "a batch request that was not run: no tokens, not counted", found.line)
            continue
        try:
            blocks = request_blocks(found.request)
            call = _call(path, found, contexts.conversation(found, blocks), reading)
            if call is not None:
                call = contexts.with_anatomy(call, blocks, reply_blocks(body_of(found)), found.request)
        except (ValueError, RecursionError) as error:
            yield Problem(str(path), f"not counted: {error}", found.line)
            continue
        if call is None:
            yield Problem(str(path), "no reply of Anthropic's: not counted", found.line)
            continue
        timeless += found.times()[0] is None
        yield call
    if timeless:
        yield Problem(
            str(path),
            f"{number_of(timeless, 'reply has', 'replies have')} no time; the time of the file stands in its place",
        )


def _call(path: Path, exchange: RecordedExchange, conversation: str, reading: Reading) -> Call | None:
    response = body_of(exchange)
    status = status_of(exchange, response)
    model = text(response.get("model")) or text(exchange.request.get("model"))
    counts = mapping(response.get("usage"))
    if not model or (response.get("type") != "message" and status is not CallStatus.ERROR):
        return None
    started, first, finished = exchange.times()
    started = started or file_time(path)
    usage = usage_from(counts)
    basis, output_basis = bases_of(counts)
    if status is CallStatus.ERROR and not usage.total_tokens:
        basis = output_basis = Basis.EXACT  # a refused request is not billed
    message_id = text(response.get("id"))
    # A stream that broke off has the first event's output count, which is no more than a beginning.
    is_whole = not exchange.events or bool(response.get("stop_reason"))
    if not is_whole:
        output_basis |= Basis.LOWER_BOUND
    native = message_id or text(exchange.record.get("request_id"))
    call_id = message_id if is_native_id(message_id) else f"{NAME}:{native or _digest(exchange, reading)}"
    return Call(
        call_id=call_id,
        source=NAME,
        provider=provider_of(message_id, model),
        model=model,
        started=started,
        first_token=first if first and first >= started else None,
        finished=finished if finished and finished >= started else None,
        status=status if is_whole or status is not CallStatus.OK else CallStatus.ABORTED,
        finish_reason=text(response.get("stop_reason")),
        usage=Usage() if basis is Basis.UNKNOWN else usage,
        usage_basis=basis,
        output_basis=output_basis,
        tier=Tier.BATCH if exchange.is_batch else tier_from(counts),
        charges=charges_from(counts, model).with_cache_miss(cache_miss_from(response)),
        task=exchange.task,
        conversation=conversation,
        owner=exchange.owner,
        revision=usage.total_tokens,
    )


def body_of(exchange: RecordedExchange) -> Mapping[str, Any]:
    if exchange.events:
        return joined(exchange.events)
    return mapping(mapping(exchange.record.get("result")).get("message")) or exchange.response


def _digest(exchange: RecordedExchange, reading: Reading) -> str:
    return reading.digester.digest(canonical(exchange.record or exchange.response)).hex()


def recognises(path: Path, head: bytes) -> bool:
    """A message with usage, at the top, below `response`, in a batch result, or the events of a stream."""
    record = first_record(path, head, _has_marks)
    response = record.get("response")
    if isinstance(response, str):
        return "message_start" in response
    if any(mapping(event).get("type") == "message_start" for event in listed(response)):
        return True
    result = mapping(record.get("result"))
    if "custom_id" in record and text(result.get("type")) in {"succeeded", *NOT_RUN}:
        return True
    bodies = [record, mapping(response), mapping(mapping(response).get("body"))]
    return any(b.get("type") == "message" and b.get("role") == "assistant" and "usage" in b for b in bodies)


def _has_marks(head: bytes) -> bool:
    if head.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] not in (b"{", b"["):
        return False
    if b'"custom_id"' in head and b'"result"' in head:
        return True
    return b'"input_tokens"' in head or (b'"request"' in head and b'"messages"' in head) or b"message_start" in head


FORMAT = LogFormat(
    name=NAME,
    title="Recorded Anthropic requests and replies, batch results",
    recognises=recognises,
    read=read,
    checked_against="documentation",
)
