"""The gateway's log: one JSON object a line, on stderr. Events and figures; never content, headers or keys."""

import sys
from contextlib import suppress
from datetime import UTC, datetime

import msgspec


def log(event: str, **facts: str | float | bool | list[str] | None) -> None:
    line = {"at": datetime.now(UTC).isoformat(timespec="milliseconds"), "event": event, **facts}
    with suppress(OSError):  # nobody reads it any more, or its disk is full: calls go on, and the end must be reached
        sys.stderr.buffer.write(msgspec.json.encode(line) + b"\n")
        sys.stderr.flush()
