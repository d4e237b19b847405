"""W3C trace context: which trace a request belongs to, and which span of it sent the request.

Source: https://www.w3.org/TR/trace-context/#traceparent-header
"""

import re
from typing import NamedTuple

TAG = "traceparent"
"""The tag under which a call keeps the header of its request."""
_HEADER = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?", re.ASCII)


class TraceParent(NamedTuple):
    trace_id: str
    parent_id: str
    sampled: bool
    """Whether the caller records this trace."""


def parsed(header: str) -> TraceParent | None:
    """The trace and span of a header; None for a header that is none: it then counts as absent."""
    match = _HEADER.fullmatch(header)
    if match is None:
        return None
    version, trace_id, parent_id, flags, rest = match.groups()
    if version == "ff" or (version == "00" and rest) or not trace_id.strip("0") or not parent_id.strip("0"):
        return None
    return TraceParent(trace_id, parent_id, bool(int(flags, 16) & 1))
