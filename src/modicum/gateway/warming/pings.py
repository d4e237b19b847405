"""The request that renews a cache: the newest call of a conversation once more, with the smallest reply.

All that the provider's cache looks at stays byte by byte: tools, instructions, messages, thinking.
"""

from collections.abc import Mapping

import msgspec

from modicum.gateway.callers.credentials import token_in
from modicum.gateway.callers.own_keys import kind_of
from modicum.gateway.exchange import Exchange, Request
from modicum.providers.body_parsing import UNREADABLE
from modicum.providers.fields import listed, mapping, text

TAG = "cost_class"
"""Pings carry `KEEP_WARM` in this tag."""
KEEP_WARM = "keep_warm"
_TAG_HEADER = b"x-modicum-tag-cost_class"
_OWN_TOOLS = frozenset({"", "custom"})
_KEY_HEADER = b"x-api-key"
"""Where keys stand that are billed by use; a plan's token is a bearer's."""

_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])
_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.encode


def make_ping(exchange: Exchange) -> Request | None:
    """The request that renews what a call left in the cache; None: it can have none.

    A call with a thinking budget has none: the reply's bound must stay above the budget. One with tools that the
    provider runs has none: nobody wants them run.
    """
    request = exchange.request
    try:
        fields = _fields.decode(exchange.edited)
        tools = [text(mapping(tool).get("type")) for tool in listed(_value(fields, "tools"))]
        thinks = text(mapping(_value(fields, "thinking")).get("type")) == "enabled"
    except UNREADABLE:
        return None
    if thinks or not set(tools) <= _OWN_TOOLS or "mcp_servers" in fields:
        return None
    body = _encode({**fields, "max_tokens": msgspec.Raw(b"1"), "stream": msgspec.Raw(b"false")})
    headers = {**request.headers, _TAG_HEADER: KEEP_WARM.encode("ascii")}
    return Request(request.served, request.path, request.query, request.caller, headers, request.passing, body)


def is_billed_by_use(exchange: Exchange) -> bool:
    """Whether the key that the call went with is billed by its use. A person's plan is not, and its terms are about
    what its owner does himself.
    """
    own = exchange.caller.own_key
    keys = exchange.route.upstream.key_headers() if own is None else [own]
    return bool(keys) and all(
        name == _KEY_HEADER and not kind_of(token_in(name, value)).is_plan for name, value in keys
    )


def is_ping(tags: Mapping[str, str]) -> bool:
    return tags.get(TAG) == KEEP_WARM


def _value(fields: Mapping[str, msgspec.Raw], name: str) -> object:
    return _decode(fields[name]) if name in fields else None
