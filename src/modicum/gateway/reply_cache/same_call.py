"""When two calls are the same, so that the reply to one answers the other."""

from hashlib import blake2b

import msgspec

from modicum.gateway.exchange import Exchange

_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])
_OF_API = (b"anthropic-", b"openai-", b"x-goog-api-")
"""Beginnings of the headers that say how an API is to understand a request."""


def is_repeatable(exchange: Exchange) -> bool:
    """Whether a call asks for nothing but words: no tool that does something, nothing that the provider keeps.

    Only fields that are known to be harmless may stand in it, since new ones that are not come every month.
    """
    dialect = exchange.request.served.dialect
    if exchange.is_plain or not dialect.repeatable_fields:
        return False
    try:
        fields = _fields.decode(exchange.edited)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False
    if not fields.keys() <= dialect.repeatable_fields:
        return False
    return not dialect.keeps_replies or bytes(fields.get("store", b"")) == b"false"


def digest_call(exchange: Exchange, key: bytes, body: bytes | None = None) -> bytes:
    """What two calls have in common only if they are the same: owner, credentials, API, way, model, and every byte
    that is asked.

    Args:
        exchange: the call, as it would go upstream.
        key: secret, and of this process alone: nobody outside can make two calls look the same.
        body: what counts as asked; None: all that is.
    """
    request, route, owner = exchange.request, exchange.route, exchange.about.owner
    own_key = exchange.caller.own_key
    parts = [
        owner.team.encode(),
        owner.app.encode(),
        owner.user.encode(),
        owner.key.encode(),
        b"" if own_key is None else own_key[1],
        request.served.dialect.name.encode(),
        request.served.target.encode(),
        request.query,
        route.upstream.name.encode(),
        route.model.encode(),
        exchange.agent_line.encode(),
        exchange.guard_line.encode(),
        *(b"%b:%b" % header for header in sorted(request.passing) if header[0].startswith(_OF_API)),
        exchange.edited if body is None else body,
    ]
    digest = blake2b(key=key, digest_size=32)
    for part in parts:
        digest.update(b"%d:" % len(part))
        digest.update(part)
    return digest.digest()
