"""The cache marks of a Messages request: how long what they mark is to live. Nothing else of it is touched."""

from collections.abc import Mapping
from typing import Any

import msgspec

MARK = "cache_control"
SHORT = {"type": "ephemeral"}
"""A mark that names no time to live means five minutes."""
_WITH_BLOCKS = ("system", "tools", "messages")

_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])
_raws = msgspec.json.Decoder(list[msgspec.Raw])
_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.encode


def shorten_marks(fields: Mapping[str, msgspec.Raw]) -> dict[str, msgspec.Raw]:
    """A request's fields with every mark for five minutes. Blocks without a longer mark keep their bytes; what looks
    like a mark in a tool's input or a schema is none.
    """
    changed = dict(fields)
    for name in _WITH_BLOCKS:
        if name in fields:
            changed[name] = _with_short_marks(fields[name])
    if _is_long(fields.get(MARK)):
        changed[MARK] = _short()
    return changed


def _with_short_marks(raw: msgspec.Raw) -> msgspec.Raw:
    """A list of blocks or messages, each with its own mark and those of its `content` shortened."""
    if b'"1h"' not in bytes(raw) or not bytes(raw).lstrip().startswith(b"["):
        return raw
    return msgspec.Raw(_encode([_shortened(one) for one in _raws.decode(raw)]))


def _shortened(raw: msgspec.Raw) -> msgspec.Raw:
    if b'"1h"' not in bytes(raw) or not bytes(raw).lstrip().startswith(b"{"):
        return raw
    block = _fields.decode(raw)
    new: dict[str, Any] = dict(block)
    if _is_long(block.get(MARK)):
        new[MARK] = _short()
    if "content" in block:
        new["content"] = _with_short_marks(block["content"])
    return msgspec.Raw(_encode(new))


def _is_long(raw: msgspec.Raw | None) -> bool:
    if raw is None:
        return False
    mark = _decode(raw)
    return isinstance(mark, dict) and mark.get("ttl") == "1h"


def _short() -> msgspec.Raw:
    return msgspec.Raw(_encode(SHORT))
