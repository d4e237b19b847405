"""The gateway's log: one JSON object a line, on stderr. Events and figures; never content, headers or keys."""

import logging
import sys
from contextlib import suppress
from datetime import UTC, datetime

import msgspec


def log(event: str, **facts: str | float | bool | list[str] | None) -> None:
    line = {"at": datetime.now(UTC).isoformat(timespec="milliseconds"), "event": event, **facts}
    with suppress(OSError):  # nobody reads it any more, or its disk is full: calls go on, and the end must be reached
        sys.stderr.buffer.write(msgspec.json.encode(line) + b"\n")
        sys.stderr.flush()


class _ErrorHandler(logging.Handler):
    """What a library logs, as a line of ours; without the traceback, whose messages might quote a request."""

    def emit(self, record: logging.LogRecord) -> None:
        log("told", by=record.name, said=record.getMessage().strip())


def take_over(*names: str) -> None:
    """Loggers of libraries, from errors upwards: how often a caller sends what is no HTTP is its own affair."""
    for name in names:
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [_ErrorHandler(logging.ERROR)], False
