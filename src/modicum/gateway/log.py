"""The gateway's log: one JSON object a line, on stderr. Events and figures; never content, headers or keys."""

import sys
from datetime import UTC, datetime

import msgspec


def log(event: str, **facts: str | float | bool | list[str] | None) -> None:
    line = {"at": datetime.now(UTC).isoformat(timespec="milliseconds"), "event": event, **facts}
    sys.stderr.buffer.write(msgspec.json.encode(line) + b"\n")
    sys.stderr.flush()
