"""What a caller wants of the mock provider, said in headers of its request."""

from collections.abc import Mapping
from typing import Literal, get_args

import msgspec

from modicum.providers.body_parsing import UNREADABLE
from modicum.providers.facts import DialectError

Fault = Literal[
    "",
    "rate_limited",
    "overloaded",
    "server_error",
    "broken_off",
    "error_event",
    "garbage",
    "empty",
    "no_usage",
    "over_bound",
    "silent",
]
FAULTS: tuple[str, ...] = get_args(Fault)
"""No fault; errors with status 429, 503 (Anthropic: 529) and 500; a stream (or body) that breaks off in its middle; an
error inside a stream; HTML with status 200; nothing with status 200; a reply without usage; one
that is longer than its request allows; no answer at all."""

PREFIX = "x-mock-"


class MockOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab"):
    output_tokens: int = 40
    """Words of the reply, unless the request's own bound is lower."""
    reasoning_tokens: int = 0
    tool_calls: int = 0
    """How many of the request's tools to call, as long as it does not end with a result. A request that forces a tool
    gets one call without asking."""
    chunks: int = 20
    """Pieces of a streamed reply's text, at most one per word."""
    delay_ms: int = 0
    """Before the first byte; for the server to keep."""
    chunk_delay_ms: int = 0
    """Between the chunks of a stream; for the server to keep."""
    fault: Fault = ""
    fault_percent: int = 100
    """How many of a hundred such calls have the fault, by lot."""
    batch_polls: int = 1
    """How often the status of a batch is asked for before it is over."""
    replay: str = ""
    """A recording that is played back, in place of a reply of the mock's own."""
    says: str = ""
    """The reply, word by word, in place of words of the mock's own."""


LARGEST = MockOptions(1_000_000, 1_000_000, 100, 1_000_000, 600_000, 600_000, fault_percent=100, batch_polls=1_000_000)
_NUMBERS = (
    *("output_tokens", "reasoning_tokens", "tool_calls", "chunks", "delay_ms", "chunk_delay_ms"),
    *("fault_percent", "batch_polls"),
)


def parse_options(headers: Mapping[str, str]) -> MockOptions:
    """The wishes in headers `x-mock-output-tokens`, `x-mock-fault`, ... (the fields' names, with hyphens).

    Raises:
        DialectError: a header of that kind is unknown, or its value is none that can be wished for.
    """
    values = {name.lower().removeprefix(PREFIX): value for name, value in headers.items() if _is_option(name)}
    try:
        options = msgspec.convert(values, MockOptions, strict=False)
    except UNREADABLE as wrong:
        raise DialectError(400, f"a header {PREFIX}... is wrong: {wrong}") from wrong
    for name in _NUMBERS:
        if not 0 <= getattr(options, name) <= getattr(LARGEST, name):
            header = PREFIX + name.replace("_", "-")
            raise DialectError(400, f"{header} is not between 0 and {getattr(LARGEST, name)}")
    return options


def _is_option(name: str) -> bool:
    return name.lower().startswith(PREFIX)
