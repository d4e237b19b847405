"""The facts that a dialect reads out of a request, a reply and a stream, and its refusal of what is no request."""

from collections.abc import Mapping
from typing import Protocol

import msgspec

from modicum.calls import NO_CHARGES, Charges, Tier, Usage


class DialectError(Exception):
    """A request that its dialect does not allow. The message is for the caller, not for a log: it may name fields."""

    def __init__(self, status: int, message: str, kind: str = "invalid_request") -> None:
        super().__init__(message)
        self.status = status
        """The HTTP status to answer with."""
        self.message = message
        self.kind = kind
        """A short word for programs, as `Dialect.error` takes it."""


class RequestFacts(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """What the pipeline wants to know of a request before it is sent."""

    model: str
    """As the caller wrote it, in the body or in the path. Printable, at most 256 characters."""
    stream: bool = False
    usage_asked: bool = True
    """Whether the caller's reply will hold usage as the request stands. False: `Dialect.with_usage_asked` is needed."""
    most_output_tokens: int | None = None
    """The caller's own bound, if there is one."""
    choices_count: int = 1
    """How many replies the provider is to make of one prompt, each of them billed."""
    user: str = ""
    """Who the dialect's own field says is asking."""
    session: str = ""
    """What the dialect's own fields say the request belongs to: a conversation, a session."""
    metadata: Mapping[str, str] = {}
    """The texts, numbers and flags of the dialect's `metadata`, as text."""


class ReplyFacts(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """What the books want to know of a reply: of a whole one, of an error, or of as much of a stream as has passed."""

    reply_id: str = ""
    model: str = ""
    """The model that answered, where the reply names it."""
    usage: Usage | None = None
    """None: the provider has not counted (yet), or its figures are none; never 0 for want of figures."""
    usage_final: bool = False
    """False with a usage: its input buckets are the provider's count, its output buckets a lower bound."""
    tier: Tier = Tier.STANDARD
    charges: Charges = NO_CHARGES
    finish_reason: str = ""
    """In the words of the dialect."""
    complete: bool = False
    """Whether the reply ended as its dialect ends a reply. False: it broke off, is garbage, or an error."""
    pending: bool = False
    """Whether the provider is still at work, whoever reads on: what it will have taken, nobody can say yet."""
    background: bool = False
    """Whether it is written in the background, to be read by its id."""
    created_s: float = 0.0
    """When a reply in the background was asked for, in seconds since 1970."""
    error_kind: str = ""
    """The provider's word for the error that it answered with or that stood in the stream."""
    output_text: str = ""
    """Where the usage is not final: the text that the model is known to have made (answers, reasoning, arguments of
    tool calls), for an estimate; at most MOST_OUTPUT_TEXT characters. Not to be kept."""
    output_chars: int = 0
    """How much text there was in all, where `output_text` is given."""
    problem: str = ""
    """What is wrong with the reply, without any text of it."""
    unknown_events: Mapping[str, int] = {}
    """How many events of a stream were of types that nobody here knows."""
    is_doubted: bool = False
    """Whether one of them told numbers of usage, so that no figure of it is exact. They are named in the caveats."""


MOST_OUTPUT_TEXT = 1_000_000
"""Characters of a reply that are held for an estimate; beyond it they are only counted."""

MOST_MODEL_NAME = 256


class StreamTail(Protocol):
    """Watches one stream go by. Chunks may be cut anywhere. Never raises, whatever the stream holds."""

    def feed(self, chunk: bytes) -> bytes:
        """The bytes to pass on now: the chunk itself, except where something must be removed or waited for."""

    def end(self) -> bytes:
        """What was held back, to be passed on when the upstream has ended, in whatever way it did."""

    def facts(self) -> ReplyFacts:
        """What is known so far. May be asked at any time; meant to be asked once, at the end."""
