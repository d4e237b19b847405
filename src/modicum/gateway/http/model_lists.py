"""The models that a caller can reach: those of all upstreams in one list, with the names that the settings give.

Each upstream is asked for its own list; one that does not answer is left out, and its models that the settings name are
listed all the same. A model that a caller's key may not use is not there.
"""

import asyncio
from collections.abc import Iterator
from typing import Any, NamedTuple
from urllib.parse import unquote

from modicum.gateway import sending
from modicum.gateway.exchange import Request
from modicum.gateway.http.refusal import Refused
from modicum.gateway.parts import Parts
from modicum.gateway.upstreams import Upstream, Upstreams
from modicum.outbound.unreachable import Unreachable
from modicum.providers.body_parsing import encode
from modicum.providers.dialect import Dialect
from modicum.providers.dialects import DIALECTS
from modicum.providers.model_lists.shape import ListedModel

MOST_REPLY_BYTES = 16 * 1024 * 1024
MOST_WAIT_S = 10.0
OK = 200

Json = dict[str, Any]


class ListingUpstream(NamedTuple):
    """An upstream and what its list holds."""

    upstream: Upstream
    dialect: Dialect
    models: list[ListedModel]
    has_answered: bool


def wants_list(request: Request) -> bool:
    """Whether a request that is no call asks which models there are."""
    target = request.served.target
    return request.served.method == b"GET" and (target == "/models" or target.startswith("/models/"))


def is_merged(request: Request, upstreams: Upstreams) -> bool:
    """Whether the list is made here. With one upstream alone its own list is passed on, byte by byte, and with a key of
    the caller's own only that upstream may be asked.
    """
    if request.caller.own_key is not None:
        return False
    dialect = request.served.dialect
    reached = [upstream for upstream in upstreams if upstreams.reaches(upstream, dialect.name)]
    is_plain = len(reached) == 1 and reached[0].speaks == dialect.api.name
    return not is_plain or bool(request.caller.models) or any(True for _ in upstreams.aliases())


async def merged(parts: Parts, upstreams: Upstreams, request: Request) -> bytes | None:
    """The list, or the one model that is asked for, in the caller's dialect. None: an upstream serves a model of that
    name, and no list has it: it may know more of it.

    Raises:
        Refused: there is no such model, or no upstream answers.
    """
    dialect = request.served.dialect
    reached = [upstream for upstream in upstreams if upstreams.reaches(upstream, dialect.name)]
    answers = await asyncio.gather(*(_listing(parts, upstream) for upstream in reached))
    if not any(answer.has_answered for answer in answers):
        raise Refused(502, "none of the upstreams says which models it has", "upstream_unreachable")
    models: dict[str, Json] = {}
    for name, entry in _entries(upstreams, dialect, answers):
        if _may_use(request, name):
            models.setdefault(name, entry)
    name = unquote(request.served.target.removeprefix("/models").removeprefix("/"))
    if not name:
        return encode(dialect.model_list.whole(list(models.values())))
    if name in models:
        return encode(models[name])
    request.caller.check_model(name)
    upstreams.route(name, dialect.name)
    return None


def _may_use(request: Request, name: str) -> bool:
    try:
        request.caller.check_model(name)
    except Refused:
        return False
    return True


async def _listing(parts: Parts, upstream: Upstream) -> ListingUpstream:
    dialect = next(dialect for dialect in DIALECTS.values() if dialect.api.name == upstream.speaks)
    passing = sending.Passing(b"GET", [(b"accept", b"application/json"), *dialect.version_headers], b"")
    body, has_answered = b"", False
    if not dialect.api.lists_models:
        return ListingUpstream(upstream, dialect, [], has_answered=True)
    try:
        async with asyncio.timeout(MOST_WAIT_S):
            with parts.upstream_calls.at(upstream):
                path = dialect.model_list.path
                answer = await sending.send(parts.connections, passing, upstream, path, own_key=None, body=b"")
                body = await answer.rest(MOST_REPLY_BYTES) if answer.status == OK else b""
                has_answered = answer.status == OK
                if not has_answered:
                    answer.close()
    except (Refused, Unreachable, ConnectionError, TimeoutError):
        body = b""
    return ListingUpstream(upstream, dialect, dialect.model_list.read(body), has_answered)


def _entries(upstreams: Upstreams, dialect: Dialect, answers: list[ListingUpstream]) -> Iterator[tuple[str, Json]]:
    """Names and entries, the aliases first: who asks for one gets what it stands for. Of two upstreams that serve a
    model calls go to the first.
    """
    shape = dialect.model_list
    by_upstream = {id(answer.upstream): answer for answer in answers}
    for alias, upstream, target in upstreams.aliases():
        answer = by_upstream.get(id(upstream))
        if answer is not None:
            like = next((model for model in answer.models if model.name == target), None)
            own = like is not None and answer.dialect.model_list is shape
            yield alias, shape.renamed(alias, like) if own and like else shape.one(alias, like, upstream.provider)
    for answer in answers:
        for model in answer.models:
            if answer.upstream.serves(model.name):
                own = answer.dialect.model_list is shape
                entry = dict(model.fields) if own else shape.one(model.name, model, answer.upstream.provider)
                yield model.name, entry
        for name in answer.upstream.models:
            if not set(name) & set("*?["):
                yield name, shape.one(name, None, answer.upstream.provider)
