"""The cache marks of a Messages request: where they stand, and how long what they mark is to live. Nothing else is
touched.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from modicum.calls.prompt import VOLATILE_NOTE

MARK = "cache_control"
SHORT = {"type": "ephemeral"}
"""A mark that names no time to live means five minutes."""
LOOK_BACK = 18
"""Blocks before the last at which there is another mark: two less than one looks back."""
_NEVER_MARKED = frozenset({"thinking", "redacted_thinking"})
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


def set_marks(fields: Mapping[str, msgspec.Raw]) -> dict[str, msgspec.Raw]:
    """The fields of a request without marks, with such behind instructions (else behind tools), behind its last block,
    and one in between: a mark looks back twenty blocks for what an earlier call has written, and a turn with many tools
    at once has more.
    """
    changed = dict(fields)
    system, tools = changed.get("system"), changed.get("tools")
    if system is not None and (text := _decode(system)):
        stable, note, volatile = text.partition(f"\n{VOLATILE_NOTE}\n") if isinstance(text, str) else ("", "", "")
        if note:  # what changes from call to call stands behind the mark
            blocks = [{"type": "text", "text": stable, MARK: SHORT}, {"type": "text", "text": note[1:] + volatile}]
            changed["system"] = msgspec.Raw(_encode(blocks))
        else:
            changed["system"] = _with_mark(system, [-1])
    elif tools is not None and _decode(tools):
        changed["tools"] = _with_mark(tools, [-1])
    messages = _raws.decode(fields["messages"])
    decoded = [_decode(message) for message in messages]
    able = [
        (number, place)
        for number, message in enumerate(decoded)
        for place, block in enumerate(_blocks(message))
        if _can_be_marked(block)
    ]
    chosen: dict[int, list[int]] = {}
    for number, place in [*able[-1:], *able[-LOOK_BACK:][:1]] if len(able) > LOOK_BACK else able[-1:]:
        chosen.setdefault(number, []).append(place)
    for number, places in chosen.items():
        message = _fields.decode(messages[number])
        messages[number] = msgspec.Raw(_encode({**message, "content": _with_mark(message["content"], places)}))
    changed["messages"] = msgspec.Raw(_encode(messages))
    return changed


def _blocks(message: Any) -> list[Any]:
    content = message.get("content") if isinstance(message, dict) else None
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    return content if isinstance(content, list) else []


def _can_be_marked(block: Any) -> bool:
    """Thinking and empty text cannot."""
    if not isinstance(block, dict) or block.get("type") in _NEVER_MARKED:
        return False
    return block.get("type") != "text" or bool(block.get("text"))


def _with_mark(raw: msgspec.Raw, places: Sequence[int]) -> msgspec.Raw:
    """A list of blocks with marks at these places; a text becomes a block."""
    if bytes(raw).lstrip().startswith(b'"'):
        return msgspec.Raw(_encode([{"type": "text", "text": raw, MARK: SHORT}]))
    blocks = _raws.decode(raw)
    for place in places:
        blocks[place] = msgspec.Raw(_encode({**_fields.decode(blocks[place]), MARK: SHORT}))
    return msgspec.Raw(_encode(blocks))


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
