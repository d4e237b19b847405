"""Tokens of requests, part by part: an agent sends its whole conversation again with every call, and only what is new
of it is counted.

Kept are digests and counts, no texts.
"""

from hashlib import blake2b

import msgspec

from modicum.metering.tokens import count_with
from modicum.providers.body_parsing import UNREADABLE
from modicum.providers.json_values import tolerant

MOST_KEPT = 50_000
"""Parts; of more all are counted again."""
AROUND_A_PART = 1
"""How many tokens more the whole may have than its parts, for each of them: two that meet may be cut otherwise."""
LEAST_ITEM_BYTES = 64
"""Of items that are shorter on average none is a part: to look each of them up takes longer than to count."""
MOST_PARTS = 4_000
"""Of one request; a longer list is counted with the rest, so that no request pushes out what is kept of all others."""
_LISTS = ("messages", "input", "contents")
"""Fields whose items are parts of their own; all others together are one."""
_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])
_items = msgspec.json.Decoder(list[msgspec.Raw])
_decode, _encode = tolerant(msgspec.json.Decoder().decode), msgspec.json.encode


class PartCounts:
    """Counts that are kept. May be used from several threads."""

    def __init__(self) -> None:
        self._kept: dict[bytes, int] = {}

    def tokens(self, body: bytes, encoding: str) -> int:
        """Of a whole request as JSON without spaces, at least."""
        parts = _parts(body)
        counted = len(parts) * AROUND_A_PART
        for part in parts:
            counted += self._tokens(part, encoding)
        return counted

    def _tokens(self, part: bytes, encoding: str) -> int:
        digest = blake2b(part, digest_size=16, key=encoding.encode("ascii")).digest()
        counted = self._kept.get(digest)
        if counted is None:
            counted = count_with(_encode(_decode(part)).decode(), encoding)
            if len(self._kept) >= MOST_KEPT:
                self._kept.clear()
            self._kept[digest] = counted
        return counted


def _parts(body: bytes) -> list[bytes]:
    """The items of its list of messages, and all the rest; one that does not lie plainly in it is one part."""
    try:
        fields = _fields.decode(body)
        name = next((name for name in _LISTS if bytes(fields.get(name, b"")).startswith(b"[")), "")
        items = _items.decode(fields[name]) if name else []
    except UNREADABLE:
        return [body]
    if not items or len(items) > min(MOST_PARTS, len(fields[name]) // LEAST_ITEM_BYTES):
        return [body]
    fields[name] = msgspec.Raw(b"[]")
    return [_encode(fields), *map(bytes, items)]
