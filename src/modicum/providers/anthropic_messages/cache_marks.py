"""The cache marks of a Messages request: where they stand, and how long what they mark is to live. Nothing else is
touched.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from modicum.calls.change import DoesNotFit
from modicum.calls.prompt import VOLATILE_NOTE

MARK = "cache_control"
SHORT = {"type": "ephemeral"}
"""A mark that names no time to live means five minutes."""
LOOK_BACK = 18
"""Blocks before the last at which there is another mark: two less than one looks back."""
_NEVER_MARKED = frozenset({"thinking", "redacted_thinking"})
_TTL, _MINUTES, _HOUR = "ttl", "5m", "1h"
_WITH_BLOCKS = ("system", "tools", "messages")

_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])
_raws = msgspec.json.Decoder(list[msgspec.Raw])
_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.encode


def set_ttl(fields: Mapping[str, msgspec.Raw], ttl: str) -> dict[str, msgspec.Raw]:
    """A request's fields with every mark for five minutes (`5m`) or an hour (`1h`): all of them, since a longer one may
    not stand behind a shorter one. Blocks without a mark for another time keep their bytes; what looks like a mark in a
    tool's input or a schema is none.

    Raises:
        DoesNotFit: no mark is for another time.
    """
    lifetime = _LENGTHENED if ttl == _HOUR else _SHORTENED
    changed = dict(fields)
    for name in _WITH_BLOCKS:
        if name in fields:
            changed[name] = _changed_list(fields[name], lifetime)
    if (mark := _changed_mark(fields.get(MARK), lifetime)) is not None:
        changed[MARK] = mark
    if changed == fields:
        raise DoesNotFit("no mark has another time to live")
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


class _Lifetime(NamedTuple):
    """What is to become of marks."""

    sign: bytes
    """What does not hold it has none that would be changed."""
    change: Callable[[dict[str, Any]], dict[str, Any] | None]
    """A mark with its new time to live; None: it has that."""


def _shorten(mark: dict[str, Any]) -> dict[str, Any] | None:
    if mark.get(_TTL) != _HOUR:
        return None
    return {name: value for name, value in mark.items() if name != _TTL}


def _lengthen(mark: dict[str, Any]) -> dict[str, Any] | None:
    if mark.get("type") != SHORT["type"] or mark.get(_TTL, _MINUTES) != _MINUTES:
        return None
    return {**mark, _TTL: _HOUR}


_SHORTENED = _Lifetime(b'"1h"', _shorten)
_LENGTHENED = _Lifetime(b'"cache_control"', _lengthen)


def _changed_list(raw: msgspec.Raw, lifetime: _Lifetime) -> msgspec.Raw:
    """A list of blocks or messages, each with its own mark and those of its `content` changed; itself, if none is."""
    if lifetime.sign not in bytes(raw) or not bytes(raw).lstrip().startswith(b"["):
        return raw
    before = _raws.decode(raw)
    after = [_changed_block(one, lifetime) for one in before]
    if all(new is old for new, old in zip(after, before, strict=True)):
        return raw
    return msgspec.Raw(_encode(after))


def _changed_block(raw: msgspec.Raw, lifetime: _Lifetime) -> msgspec.Raw:
    if lifetime.sign not in bytes(raw) or not bytes(raw).lstrip().startswith(b"{"):
        return raw
    block = _fields.decode(raw)
    new: dict[str, Any] = {}
    if (mark := _changed_mark(block.get(MARK), lifetime)) is not None:
        new[MARK] = mark
    if "content" in block and (content := _changed_list(block["content"], lifetime)) is not block["content"]:
        new["content"] = content
    return msgspec.Raw(_encode({**block, **new})) if new else raw


def _changed_mark(raw: msgspec.Raw | None, lifetime: _Lifetime) -> msgspec.Raw | None:
    """None: it stays."""
    mark = _decode(raw) if raw is not None else None
    changed = lifetime.change(mark) if isinstance(mark, dict) else None
    return None if changed is None else msgspec.Raw(_encode(changed))
