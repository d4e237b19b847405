"""Recorded OpenAI traffic: chat completions and responses, bare or as pairs, streams, and batch output.

The bodies of all who speak this dialect are read (Azure, OpenRouter, DeepSeek, vLLM, ...). Traps, each with a fixture:

- `prompt_tokens` includes the cached ones, `completion_tokens` the reasoning; some compatible servers differ.
- A stream has usage only in its last chunk, and only if it was asked for: else the counts are unknown.
- Batch output is billed at the batch price; `custom_id` is the task. An entry that failed has neither time nor usage.
"""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from modicum.calls import Basis, Call, CallStatus, Problem, Tier, Usage
from modicum.calls.provider_names import is_native_id
from modicum.importers.format import Found, LogFormat, Reading
from modicum.importers.recorded.exchanges import RecordedContexts, RecordedExchange, exchanges, first_record, status_of
from modicum.providers.blocks import canonical
from modicum.providers.cache_diagnostics import cache_miss_from
from modicum.providers.fields import listed, mapping, moment, text
from modicum.providers.message_blocks import reply_blocks
from modicum.providers.openai.blocks import request_blocks
from modicum.providers.openai.recorded import finish_reason_from, joined, provider_of, region_of, requests_in
from modicum.providers.openai.usage import bases_of, charges_from, provider_cost, tier_from, usage_from

NAME = "openai"
OBJECTS = frozenset({"chat.completion", "chat.completion.chunk", "response", "text_completion"})


def read(path: Path, reading: Reading) -> Found:
    contexts = RecordedContexts(NAME, reading)
    for found in exchanges(path):
        if isinstance(found, Problem):
            yield found
            continue
        try:
            response = joined(found.events) if found.events else found.response
            blocks = request_blocks(found.request)
            call = _call(found, response, contexts.conversation(found, blocks), reading)
            if call is not None:
                call = contexts.with_anatomy(call, blocks, reply_blocks(response), found.request)
        except (ValueError, RecursionError) as error:
            yield Problem(str(path), f"not counted: {error}", found.line)
        else:
            yield call or Problem(str(path), "no reply of OpenAI's: not counted", found.line)


def _call(exchange: RecordedExchange, response: Mapping[str, Any], conversation: str, reading: Reading) -> Call | None:
    status = status_of(exchange, response)
    model = text(response.get("model")) or text(exchange.request.get("model"))
    counts = response.get("usage")
    if not model or (text(response.get("object")) not in OBJECTS and not counts and status is not CallStatus.ERROR):
        if exchange.record.get("error") or status is CallStatus.ERROR:
            raise ValueError("the request failed, and neither its model nor its time is there")
        return None
    started, first, finished = _times(exchange, response)
    usage = usage_from(mapping(counts))
    basis, output_basis = bases_of(mapping(counts))
    if status is CallStatus.ERROR and not usage.total_tokens and not exchange.events:
        basis = output_basis = Basis.EXACT  # a refused request is not billed; a stream that failed midway may be
    return Call(
        call_id=call_id(exchange, response, reading),
        source=NAME,
        provider=provider_of(exchange.url, model, response),
        model=model,
        started=started,
        first_token=first,
        finished=finished,
        status=status,
        finish_reason=finish_reason_from(response),
        usage=Usage() if basis is Basis.UNKNOWN else usage,
        usage_basis=basis,
        output_basis=output_basis,
        tier=Tier.BATCH if exchange.is_batch else tier_from(response),
        charges=charges_from(
            mapping(counts),
            lane=response.get("service_tier"),
            model=model,
            region=region_of(exchange.url),
            requests=requests_in(response),
        ).with_cache_miss(cache_miss_from(response)),
        reported_cost_usd=provider_cost(mapping(counts)),
        task=exchange.task,
        conversation=conversation,
        owner=exchange.owner,
        revision=usage.total_tokens,
    )


def _times(
    exchange: RecordedExchange, response: Mapping[str, Any]
) -> tuple[datetime, datetime | None, datetime | None]:
    """The record's own times stand above the body's, which are whole seconds."""
    started, first, finished = exchange.times()
    for name in ("created", "created_at"):
        started = started or moment(response.get(name))
    for event in exchange.events:
        started = started or moment(mapping(event).get("created"))
    finished = finished or moment(response.get("completed_at"))
    if started is None:
        raise ValueError("neither the record nor the body has a time")
    if finished and finished < started:
        finished = None
    if first and (first < started or (finished and first > finished)):
        first = None
    return started, first, finished


def call_id(exchange: RecordedExchange, response: Mapping[str, Any], reading: Reading) -> str:
    """The provider's id; else that of the request; else one from the record's content."""
    given = text(response.get("id"))
    if is_native_id(given):
        return given
    inner = mapping(exchange.record.get("response"))
    native = given or text(inner.get("request_id")) or text(exchange.record.get("request_id"))
    if not native and exchange.is_batch:
        native = text(exchange.record.get("id"))
    return f"{NAME}:{native or reading.digester.digest(canonical(exchange.record or response)).hex()}"


def recognises(path: Path, head: bytes) -> bool:
    """A body of one of OpenAI's objects, at the top or below `response`."""
    record = first_record(path, head, _has_marks)
    bodies = [record, mapping(record.get("response")), mapping(mapping(record.get("response")).get("body"))]
    bodies += [mapping(item) for name in ("data", "response") for item in listed(record.get(name))[:1]]
    if any(text(body.get("object")) in OBJECTS for body in bodies):
        return True
    if isinstance(reply := record.get("response"), str):
        return any(f'"object":"{kind}"' in reply.replace('": "', '":"') for kind in OBJECTS)
    inner = mapping(record.get("response"))
    return "custom_id" in record and ("status_code" in inner or record.get("error") is not None)


def _has_marks(head: bytes) -> bool:
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
    if start not in (b"{", b"["):
        return False
    if b'"custom_id"' in head and b'"response"' in head:
        return True
    if b'"request"' in head and (b'"messages"' in head or b'"input"' in head):
        return True
    return any(f'"{kind}'.encode() in head for kind in ("chat.completion", "response", "text_completion"))


FORMAT = LogFormat(
    name=NAME,
    title="Recorded OpenAI requests and replies, batch output",
    recognises=recognises,
    read=read,
    checked_against="documentation",
)
