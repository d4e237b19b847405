"""Requests that are no calls: lists of models and token counts. Checked like calls, passed on, not billed."""

from modicum.gateway import sending
from modicum.gateway.callers.own_keys import check_upstream
from modicum.gateway.exchange import Request
from modicum.gateway.http.client import Client
from modicum.gateway.http.refusal import Refused
from modicum.gateway.parts import Parts
from modicum.gateway.replies import why_unreachable
from modicum.gateway.upstreams import Upstreams
from modicum.outbound.unreachable import Unreachable
from modicum.providers.facts import DialectError

MOST_REPLY_BYTES = 16 * 1024 * 1024


async def pass_aside(parts: Parts, upstreams: Upstreams, request: Request, client: Client) -> None:
    dialect = request.served.dialect
    try:
        caller = request.caller
        if request.served.method == b"POST":
            model = dialect.request(request.body, request.path).model
            caller.check_model(model)
            caller.check_body(request.body)
            body = sending.with_one_model(request.body) if caller.models else request.body
            upstream = upstreams.route(model, dialect.name).upstream
        else:
            body = b""
            upstream = upstreams.speaking(dialect.name)
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
    except (Refused, DialectError) as refusal:
        parts.metrics.refused(refusal.kind)
        await client.refuse(dialect, refusal.status, refusal.message, refusal.kind)
    except (Unreachable, ConnectionError) as error:
        await client.refuse(dialect, 502, why_unreachable(error), "upstream_unreachable")
    else:
        client.prepare(answer.status, sending.passes_back(answer))
        await client.finish(reply)
