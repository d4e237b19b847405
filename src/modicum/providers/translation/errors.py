"""An upstream's error in the dialect of the caller: status, message, and its word for what happened."""

import msgspec

from modicum.providers.body_parsing import UNREADABLE, error_kind_of
from modicum.providers.dialect import Dialect
from modicum.providers.fields import listed, mapping, text

OVERLOADED = 529
"""Some upstreams' status for want of capacity."""

MOST_MESSAGE = 2000


def error(caller: Dialect, status: int, body: bytes) -> tuple[int, bytes]:
    """The status for the caller, and the body."""
    try:
        document = msgspec.json.decode(body)
    except UNREADABLE:
        document = None
    fields = mapping(document or {}) or mapping(next(iter(listed(document)), {}))
    inner = mapping(fields.get("error"))
    message = text(inner.get("message")) or text(fields.get("error")) or text(fields.get("message"))
    if status == OVERLOADED:
        status = caller.overloaded_status
    said_plainly = message[:MOST_MESSAGE] or "the upstream answered with an error that it did not explain"
    return status, caller.error(status, said_plainly, error_kind_of(fields))
