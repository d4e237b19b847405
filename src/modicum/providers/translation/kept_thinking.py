"""Claude's signed thinking, as a client of the responses API carries it from turn to turn: sealed in a reasoning item.

The client sends `encrypted_content` back as it was and reads nothing in it. What was sealed by somebody else opens to
nothing.
"""

import base64
import binascii
from collections.abc import Sequence
from typing import Any

import msgspec

from modicum.providers.body_parsing import UNREADABLE, encode
from modicum.providers.fields import listed, mapping

_MARK = "modicum.thinking."
_KINDS = {"thinking", "redacted_thinking"}

Json = dict[str, Any]


def sealed(blocks: Sequence[Json]) -> str:
    """The blocks as one word; empty where none of them could go back."""
    signed = [block for block in blocks if block.get("signature") or block.get("data")]
    if not signed:
        return ""
    return _MARK + base64.urlsafe_b64encode(encode({"blocks": signed})).decode("ascii")


def opened(content: str) -> list[Json]:
    """The blocks that `sealed` made a word of."""
    if not content.startswith(_MARK):
        return []
    try:
        document = msgspec.json.decode(base64.urlsafe_b64decode(content.removeprefix(_MARK)))
    except (binascii.Error, ValueError, *UNREADABLE):
        return []
    blocks = [dict(mapping(block)) for block in listed(mapping(document).get("blocks"))]
    return [block for block in blocks if block.get("type") in _KINDS]
