"""What goes upstream and what comes back, header by header."""

from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import parse_qsl, urlencode

import msgspec

from modicum.calls.errors import UserError
from modicum.gateway.callers.outgoing_headers import beside_own_key
from modicum.gateway.callers.own_keys import check_upstream
from modicum.gateway.exchange import Exchange, PendingEdit, Request
from modicum.gateway.http.refusal import Refused
from modicum.gateway.http.upload import Upload
from modicum.gateway.process.log import log
from modicum.gateway.upstreams import Route, Upstream
from modicum.outbound.keepalive import Answer, Connections, Header
from modicum.outbound.open_files import OutOfFiles
from modicum.outbound.request_heads import RequestHead, open_head
from modicum.providers.dialect import quoted
from modicum.providers.openai.multipart import is_form, with_field

_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])

GUARD_RULE = "guard.agents"
LINE_RULE = "budget.line"
"""Under which name the line stands among a call's edits."""

QUERY = frozenset({"alt", "beta"})
"""What may stand in the query of a call that goes upstream."""
_CREDENTIALS = frozenset({"key", "api_key", "apikey", "api-key", "access_token", "token", "api-version"})
"""What never goes on of a query: keys; and the version of the API, which is the upstream's."""
_NOT_BACK = frozenset(
    {
        b"connection",
        b"content-length",
        b"date",
        b"keep-alive",
        b"location",
        b"server",
        b"set-cookie",
        b"transfer-encoding",
        b"trailer",
    }
    | {b"upgrade", b"proxy-authenticate", b"alt-svc", b"strict-transport-security"}
)
"""Reply headers that end here. A caller that followed a redirect would take its key, and its next calls, past us."""


class Passing(NamedTuple):
    """What of a request goes on as it came."""

    method: bytes
    headers: list[Header]
    query: bytes
    """As the caller wrote it."""
    names: frozenset[str] | None = QUERY
    """The parameters of the query that go upstream; None: all but credentials."""


_OF_ALL = frozenset({b"content-type", b"accept", b"user-agent"})


def passes_back(answer: Answer) -> list[Header]:
    """Which pages may read a reply is said by us, not by an upstream that lets all of them."""
    return [
        header
        for header in answer.headers
        if header[0] not in _NOT_BACK and not header[0].startswith(b"access-control-")
    ]


def check_key(exchange: Exchange) -> None:
    """Whether the caller's own key fits where its call goes.

    Raises:
        Refused: the caller's own key may not go where its call would, or is for another API.
    """
    if exchange.caller.own_key is None:
        return
    if exchange.upstream_dialect is not exchange.request.served.dialect:
        raise Refused(
            403, "this model is served by another API; your own key does not fit there, use a modicum key", "wrong_key"
        )
    check_upstream(exchange.caller.own_key, exchange.route.upstream)
    if exchange.caller.is_plan and exchange.route.model != exchange.facts.model:
        raise Refused(
            403, "calls of a plan go where their model says, and this name is an alias; ask for the model", "wrong_key"
        )


def prepare(exchange: Exchange, *, asks_usage: bool = True) -> None:
    """What must be changed so that the call can be sent and metered; all other bytes stay. May be done again.
    `asks_usage` is False where the upstream refuses to be asked for the usage of a stream.
    """
    dialect, facts = exchange.request.served.dialect, exchange.facts
    exchange.body = exchange.edited
    if exchange.agent_line or exchange.guard_line or exchange.with_line is not None:
        exchange.body = _with_last_lines(exchange)
    if exchange.redactor is not None and exchange.redaction is None:  # it may go elsewhere now than it was going
        exchange.redaction = exchange.redactor.of(exchange.about.owner, facts.model, exchange.route.model)
    if exchange.redaction is not None:
        exchange.body = exchange.redaction.hide(exchange.body)
        exchange.tags = {**exchange.tags, **exchange.redaction.tags}
    if exchange.translation is not None:
        _check_crosses(exchange)
        translated = exchange.translation.request(exchange.body, exchange.route.model)
        exchange.body, exchange.left_out = translated.body, translated.left_out
        exchange.custom_tools = translated.custom_tools
        if dialect.model_in_path and facts.stream:
            exchange.body = exchange.upstream_dialect.with_stream(exchange.body)
        exchange.body = exchange.upstream_dialect.with_headers(exchange.body, exchange.request.headers)
        if not asks_usage:
            exchange.body = exchange.upstream_dialect.without_usage_asked(exchange.body)
        return
    if exchange.one_model and not exchange.caller.is_plan:
        exchange.body = with_one_model(exchange.body)
    if asks_usage and not facts.usage_asked:
        exchange.body = dialect.with_usage_asked(exchange.body)
    is_missing = exchange.request.served.deployment and not exchange.route.upstream.has_deployments
    is_other = exchange.route.model != facts.model and not dialect.model_in_path and b'"model"' in exchange.body
    if is_missing or is_other:
        exchange.body = with_model(exchange.body, exchange.route.model)


def _check_crosses(exchange: Exchange) -> None:
    """Whether what is asked for has a counterpart in another API: plain calls have, a compaction has not.

    Raises:
        Refused: it has none.
    """
    served = exchange.request.served
    plain = next(iter(served.dialect.paths.values()), None)
    if served.dialect.streams_json and exchange.facts.stream and b"alt=sse" not in exchange.request.query:
        raise Refused(
            400, "this model is served by another API, whose streams are events: add ?alt=sse", "untranslatable"
        )
    if plain is not None and served.target != plain.path:
        raise Refused(404, f"{served.target} is served for models of this API alone", "unknown_path")


def _with_last_lines(exchange: Exchange) -> bytes:
    """The request that says at its end what its agent is to know, where there is a place for that. It goes upstream and
    nowhere else: the lines are no part of the conversation, which comes without them the next time.
    """
    body = exchange.edited
    lines = {
        GUARD_RULE: (exchange.guard_line, "the agent is told that its task has too many agents, or too deep"),
        LINE_RULE: (exchange.agent_line, "the agent is shown what is left of its budget"),
    }
    exchange.edits = tuple(edit for edit in exchange.edits if edit.rule not in lines)  # of an attempt before
    for rule, (line, why) in lines.items():
        longer = exchange.request.served.dialect.with_last_line(body, line) if line else None
        if longer is not None:
            exchange.edits += (PendingEdit(rule, why, body, longer),)
            body = longer
    exchange.with_line = body if body is not exchange.edited else None
    return body


def with_one_model(body: bytes) -> bytes:
    """Of a field that comes twice one server takes the first, another the last, a third whatever its case: what a key
    may use is checked on one of each, so one goes upstream.
    """
    if is_form(body):  # whose model stands in it once, or it was refused
        return body
    fields = _fields.decode(body)
    return msgspec.json.encode(
        {name: raw for name, raw in fields.items() if name == "model" or name.casefold() != "model"}
    )


def with_model(body: bytes, model: str) -> bytes:
    """The request for another model."""
    if is_form(body):
        return with_field(body, "model", model)
    fields = _fields.decode(body)
    fields["model"] = msgspec.Raw(msgspec.json.encode(model))
    return msgspec.json.encode(fields)


def target(exchange: Exchange) -> str:
    """The path upstream; in some APIs it holds the model's name, at some upstreams the deployment's."""
    if exchange.translation is not None:
        path = exchange.upstream_dialect.call_target(exchange.route.model, stream=exchange.facts.stream)[0]
    else:
        path = exchange.request.served.target
        if exchange.route.model != exchange.facts.model:
            path = exchange.upstream_dialect.target_for(path, exchange.route.model)
    if exchange.route.upstream.has_deployments and exchange.upstream_dialect.has_deployments:
        return f"/deployments/{quoted(exchange.route.model)}{path}"
    return path


def passing(exchange: Exchange) -> Passing:
    """The caller's headers and query, as far as they go upstream. Those of one API mean nothing to another."""
    request, upstream = exchange.request, exchange.route.upstream
    if exchange.translation is None:
        return Passing(b"POST", outgoing(request, upstream, exchange.caller.own_key), request.query)
    passed = _OF_ALL | exchange.upstream_dialect.shared_headers
    headers = [header for header in request.passing if header[0] in passed] + upstream.passes_on(request.headers)
    headers += exchange.upstream_dialect.version_headers
    _, query = exchange.upstream_dialect.call_target(exchange.route.model, stream=exchange.facts.stream)
    return Passing(b"POST", headers, query)


def outgoing(request: Request, upstream: Upstream, own_key: Header | None) -> list[Header]:
    """A request's headers that go upstream, without any key."""
    headers = request.passing
    if upstream.pass_headers:
        headers = headers + upstream.passes_on(request.headers)
    return headers if own_key is None else headers + beside_own_key(request.headers)


async def send(
    connections: Connections,
    request: Passing,
    upstream: Upstream,
    target: str,
    *,
    own_key: Header | None,
    body: bytes,
    sent: Callable[[Answer], None] | None = None,
    upload: Upload | None = None,
    root: str = "",
) -> Answer:
    """Sends a request to its upstream; returns when the reply's headers are there. `upload`: a body that has not come
    yet, in the place of `body`; `root`: what stands before the path of the upstream's address.

    Raises:
        Refused: the request cannot be sent as it is, or no file can be opened for a connection.
        Unreachable: the upstream does not answer.
    """
    where = root.encode("ascii") + upstream.base + target.encode("utf-8") + _query(request, upstream)
    if own_key is not None:
        keys = [own_key]
    elif upstream.signer is None:
        keys = upstream.key_headers()
    else:
        keys = await _signed(upstream, request.method, where, None if upload is not None else body)
    length, more = (len(body), None) if upload is None else (upload.length_bytes, upload.piece)
    opened = _head(request, upstream, where, keys)
    head = opened.in_chunks() if length is None else opened.with_length(length)
    try:
        return await connections.send(upstream.origin, head, body, sent, upstream.timeouts, more)
    except OutOfFiles:
        raise no_open_file() from None


def no_open_file() -> Refused:
    """The answer where no connection can be opened for want of a file."""
    return Refused(503, "the gateway has no more open files; try again", "out_of_files")


class SentHead(NamedTuple):
    """What goes upstream before the bodies of calls that repeat a head, on the same way."""

    route: Route
    model: str
    """As the caller wrote it."""
    head: RequestHead


def repeated_head(exchange: Exchange) -> bytes | None:
    """The head of a call, written once for all calls that repeat its caller's head (`http/known_head.py`); None: it has
    to be written for this one, or signed.

    Raises:
        Refused: it cannot be sent as it is.
    """
    known, route = exchange.request.head, exchange.route
    if known is None or exchange.translation is not None or route.upstream.signer is not None:
        return None
    sent: SentHead | None = known.sent
    if sent is None or sent.route is not route or sent.model != exchange.facts.model:
        upstream, own_key, passed = route.upstream, exchange.caller.own_key, passing(exchange)
        where = upstream.base + target(exchange).encode("utf-8") + _query(passed, upstream)
        keys = upstream.key_headers() if own_key is None else [own_key]
        sent = known.sent = SentHead(route, exchange.facts.model, _head(passed, upstream, where, keys))
    return sent.head.with_length(len(exchange.body))


def _head(request: Passing, upstream: Upstream, where: bytes, keys: list[Header]) -> RequestHead:
    headers = [*request.headers, *keys, (b"accept-encoding", b"identity")]
    try:
        return open_head(request.method, where, upstream.origin, headers)
    except ValueError as error:
        raise Refused(400, str(error), "invalid_request") from None


async def _signed(upstream: Upstream, method: bytes, target: bytes, body: bytes | None) -> list[Header]:
    """The headers that prove who sends a request.

    Raises:
        Refused: nobody can sign it.
    """
    assert upstream.signer is not None  # noqa: S101 - asked before
    if body is None:
        message = f"the upstream '{upstream.name}' wants its requests signed, and what comes in pieces cannot be"
        raise Refused(413, message, "too_large")
    try:
        return await upstream.signer.headers(method, upstream.origin.authority, target, body)
    except UserError as error:
        log("not_signed", upstream=upstream.name, problem=str(error))
        message = f"the gateway has no valid credentials for the upstream '{upstream.name}'; its log says why"
        raise Refused(502, message, "no_credentials") from None


def _query(request: Passing, upstream: Upstream) -> bytes:
    if not request.query:
        return upstream.query
    names = request.names
    kept = [
        (name, value)
        for name, value in parse_qsl(request.query.decode("ascii", "replace"), keep_blank_values=names is None)
        if (name.lower() not in _CREDENTIALS if names is None else name in names)
    ]
    if not kept:
        return upstream.query
    written = urlencode(kept).encode("ascii")
    return b"%b&%b" % (upstream.query, written) if upstream.query else b"?" + written
