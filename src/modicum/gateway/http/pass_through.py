"""Requests that are no calls: lists of models, token counts, replies to calls that were made before. Checked like
calls, passed on, not billed; a reply that was written in the background brings its call's usage.
"""

from urllib.parse import parse_qsl

from modicum.gateway import sending
from modicum.gateway.callers.own_keys import check_upstream
from modicum.gateway.exchange import Request
from modicum.gateway.http.client import Client
from modicum.gateway.http.model_lists import is_merged, merged, wants_list
from modicum.gateway.http.refusal import Refused
from modicum.gateway.parts import Parts
from modicum.gateway.replies import why_unreachable
from modicum.gateway.upstreams import Upstream, Upstreams
from modicum.outbound.unreachable import Unreachable
from modicum.providers.facts import DialectError

MOST_REPLY_BYTES = 16 * 1024 * 1024


OK = 200


def check_whole(query: bytes) -> None:
    """Whether a reply is asked for in one piece.

    Raises:
        Refused: it is wanted as a stream.
    """
    if dict(parse_qsl(query)).get(b"stream", b"false").lower() == b"true":
        raise Refused(400, "a response is read in one piece here: ask again without stream=true", "invalid_request")


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


async def pass_aside(parts: Parts, upstreams: Upstreams, request: Request, client: Client) -> None:
    dialect, model = request.served.dialect, ""
    try:
        if await _list_models(parts, upstreams, request, client):
            return
        caller = request.caller
        if request.served.late_reply:
            check_whole(request.query)
            body = request.body
            upstream = upstreams.named(parts.late_replies.upstream_name(request.served.late_reply), dialect.name)
        elif request.served.method == b"POST":
            model = dialect.request(request.body, request.path).model
            caller.check_model(model)
            caller.check_body(request.body)
            is_checked = bool(caller.models or parts.policies.limits_models)
            body = sending.with_one_model(request.body) if is_checked else request.body
            route = upstreams.route(model, dialect.name)
            upstream, model = route.upstream, route.model
        else:
            body = b""
            upstream = upstreams.speaking(dialect.name)
        if model:
            parts.policies.check_aside(request, upstream, model)
        if caller.own_key is not None:
            check_upstream(caller.own_key, upstream)
        passing = sending.outgoing(request, upstream, caller.own_key)
        with parts.upstream_calls.at(upstream):
            answer = await sending.send(
                parts.connections,
                sending.Passing(request.served.method, passing, request.query),
                upstream,
                request.served.target,
                own_key=caller.own_key,
                body=body,
            )
            reply = await answer.rest(MOST_REPLY_BYTES)
        if request.served.late_reply and answer.status == OK:
            await record_late(parts, request, upstream, reply)
    except (Refused, DialectError) as refusal:
        parts.refusals.add(refusal.kind, request.caller.owner)
        await client.refuse(dialect, refusal.status, refusal.message, refusal.kind)
    except (Unreachable, ConnectionError) as error:
        await client.refuse(dialect, 502, why_unreachable(error), "upstream_unreachable")
    else:
        client.prepare(answer.status, sending.passes_back(answer))
        await client.finish(reply)
