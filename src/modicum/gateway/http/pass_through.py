"""Requests that are no calls: lists of models, token counts, replies to calls that were made before. Checked like
calls, passed on, not billed; a reply that was written in the background brings its call's usage.
"""

from typing import NamedTuple
from urllib.parse import parse_qsl

from modicum.gateway import sending
from modicum.gateway.callers.own_keys import check_upstream
from modicum.gateway.exchange import Request
from modicum.gateway.http.client import Client
from modicum.gateway.http.model_lists import is_merged, merged, wants_list
from modicum.gateway.http.refusal import ClientGone, Refused
from modicum.gateway.own_counts import HAS_NONE, MARKED, own_count
from modicum.gateway.parts import Parts
from modicum.gateway.replies import why_unreachable
from modicum.gateway.upstreams import Upstream, Upstreams
from modicum.outbound.keepalive import Answer
from modicum.outbound.unreachable import Unreachable
from modicum.providers.facts import DialectError

MOST_REPLY_BYTES = 16 * 1024 * 1024


OK = 200


def asks_stream(request: Request) -> bool:
    """Whether the reply to an earlier call is wanted as a stream."""
    return request.served.method == b"GET" and dict(parse_qsl(request.query)).get(b"stream", b"").lower() == b"true"


async def stream_late(parts: Parts, request: Request, upstream: Upstream, answer: Answer, client: Client) -> bytes:
    """Passes on a reply to an earlier call that is read as a stream, and books what it tells. Returns its end.

    Raises:
        Refused: the disk refuses its record.
        ConnectionError, ClientGone: it broke off.
    """
    dialect = request.served.dialect
    tail, held = dialect.tail(usage_asked=True), b""
    await client.start(answer.status, sending.passes_back(answer))
    while chunk := await answer.chunk():
        tail.feed(chunk)
        held += chunk
        if not any(end in held for end in dialect.stream_ends):
            await client.pass_on(held)
            held = b""
    tail.end()
    if not await parts.late_replies.record(request, upstream, tail.facts()):
        raise ConnectionError("its record is not on the disk")
    return held


async def record_late(parts: Parts, request: Request, upstream: Upstream, reply: bytes) -> None:
    """Books what a reply to an earlier call tells.

    Raises:
        Refused: the disk refuses its record.
    """
    if not await parts.late_replies.record(request, upstream, request.served.dialect.reply(reply)):
        raise Refused(503, "this reply could not be recorded, so it is withheld; try again", "not_recorded")


async def _list_models(parts: Parts, upstreams: Upstreams, request: Request, client: Client) -> bool:
    """Answers a request for the list of models, or for one of them; says whether it did."""
    if not (wants_list(request) and is_merged(request, upstreams)):
        return False
    document = await merged(parts, upstreams, request)
    if document is None:
        return False
    client.prepare(OK, [(b"content-type", b"application/json")])
    await client.finish(document)
    return True


class _Way(NamedTuple):
    """Where a request goes that is no call, and with what."""

    upstream: Upstream
    body: bytes
    names: frozenset[str] | None = None
    """As `sending.Passing.names`."""
    model: str = ""
    """Its name there, if a model is named."""
    is_elsewhere: bool = False
    """Whether the model is behind another API, which knows nothing of this request."""


def _way(parts: Parts, upstreams: Upstreams, request: Request) -> _Way:
    """The way of a request, if its caller may make it.

    Raises:
        Refused: it may not, or there is none.
        DialectError: it cannot be read.
    """
    dialect, caller, served = request.served.dialect, request.caller, request.served
    if served.late_reply:
        name = parts.late_replies.upstream_name(served.late_reply)
        return _Way(upstreams.named(name, dialect.name), request.body)
    if served.method != b"POST":
        return _Way(upstreams.speaking(dialect.name), b"")
    model = dialect.request(request.body, request.path).model
    caller.check_model(model)
    caller.check_body(request.body)
    route = upstreams.route(model, dialect.name)
    parts.policies.check_aside(request, route.upstream, route.model)
    is_checked = bool(caller.models or parts.policies.limits_models)
    body = sending.with_one_model(request.body) if is_checked else request.body
    if (redaction := parts.redactor.of(caller.owner, model, route.model)) is not None:
        body = redaction.hide(body)
    return _Way(route.upstream, body, sending.QUERY, route.model, route.translation is not None)


def _checked_way(parts: Parts, upstreams: Upstreams, request: Request) -> _Way:
    """The same, if the caller's own key may go there.

    Raises:
        Refused: it may not, or there is none.
        DialectError: it cannot be read.
    """
    way = _way(parts, upstreams, request)
    if request.caller.own_key is not None:
        check_upstream(request.caller.own_key, way.upstream)
    return way


async def _count_here(request: Request, model: str, client: Client) -> None:
    """Answers a request for a token count with our own.

    Raises:
        DialectError: the request cannot be read.
    """
    counted = await own_count(request.served.dialect, request.body, model)
    client.prepare(OK, [(b"content-type", b"application/json"), MARKED])
    await client.finish(counted)


async def pass_aside(parts: Parts, upstreams: Upstreams, request: Request, client: Client) -> None:
    dialect, served, own_key = request.served.dialect, request.served, request.caller.own_key
    try:
        if await _list_models(parts, upstreams, request, client):
            return
        way = _checked_way(parts, upstreams, request)
        upstream, body = way.upstream, way.body
        if served.counts_tokens and way.is_elsewhere:
            await _count_here(request, way.model, client)
            return
        passing = sending.outgoing(request, upstream, own_key)
        with parts.upstream_calls.at(upstream):
            answer = await sending.send(
                parts.connections,
                sending.Passing(served.method, passing, request.query, way.names),
                upstream,
                served.target,
                own_key=own_key,
                body=body,
            )
            if served.late_reply and answer.status == OK and asks_stream(request):
                await client.finish(await stream_late(parts, request, upstream, answer, client))
                return
            reply = await answer.rest(MOST_REPLY_BYTES)
        if served.counts_tokens and answer.status in HAS_NONE:
            await _count_here(request, way.model, client)
            return
        if served.late_reply and answer.status == OK:
            await record_late(parts, request, upstream, reply)
    except (Refused, DialectError) as refusal:
        parts.refusals.add(refusal.kind, request.caller.owner)
        await client.refuse(dialect, refusal.status, refusal.message, refusal.kind)
    except (Unreachable, ConnectionError) as error:
        if client.started:
            raise ClientGone from None  # the connection is cut: a reply that ends otherwise would be taken for whole
        await client.refuse(dialect, 502, why_unreachable(error), "upstream_unreachable")
    else:
        client.prepare(answer.status, sending.passes_back(answer))
        await client.finish(reply)
