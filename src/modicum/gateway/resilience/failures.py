"""What failed, from what an upstream answered or did not."""

from time import time

from modicum.gateway.exchange import Exchange
from modicum.gateway.http.codings import CODINGS, coding_of
from modicum.gateway.http.refusal import Refused
from modicum.governance.resilience import Failure, FailureKind, failure_of_status, parse_retry_after
from modicum.outbound.keepalive import Answer
from modicum.outbound.phases import PhaseTimedOut
from modicum.outbound.unreachable import TooSlow, Unreachable, Untrusted
from modicum.providers.facts import DialectError

OK = 200
_BY_REFUSAL = {
    "upstream_full": FailureKind.FULL,
    "upstream_limited": FailureKind.FULL,
    "upstream_open": FailureKind.OPEN,
    "upstream_rests": FailureKind.OPEN,
}
_BY_ERROR: tuple[tuple[tuple[type[Exception], ...], FailureKind], ...] = (
    ((Untrusted,), FailureKind.UNTRUSTED),
    ((TooSlow, PhaseTimedOut), FailureKind.TIMEOUT),
    ((Unreachable, ConnectionError), FailureKind.BROKEN_OFF),
)
_PAGE = b"text/html"
"""What a proxy in front of a provider answers in its place."""


class AttemptFailed(Exception):  # noqa: N818 - an event
    """An upstream answered, and what it answered is not passed on yet."""

    def __init__(self, failure: Failure, end: bytes | None) -> None:
        super().__init__(failure.kind)
        self.failure = failure
        self.end = end
        """The whole reply, ready to be passed on after all; None: it is a stream that holds nothing of use."""


def check_reply(exchange: Exchange, body: bytes, *, is_end: bool) -> None:
    """Whether a reply is worth passing on.

    Raises:
        AttemptFailed: it is not.
    """
    failure = _stream_failure(exchange, body) if not is_end else _whole_failure(exchange, body)
    if failure is not None:
        raise AttemptFailed(failure, body if is_end else None)


def failure_of_error(error: Exception, exchange: Exchange) -> Failure | None:
    """What an exception says of the upstream; None: nothing, the call ends with it."""
    if isinstance(error, AttemptFailed):
        return error.failure
    if isinstance(error, Refused):
        kind = _BY_REFUSAL.get(error.kind)
        return None if kind is None else Failure(kind, error.retry_after_s)
    if isinstance(error, DialectError):  # of a reply that cannot be translated; a request's came before the answer
        is_reply = exchange.answer is not None and exchange.answer.status == OK
        return Failure(FailureKind.UNREADABLE) if is_reply else None
    kind = next((kind for types, kind in _BY_ERROR if isinstance(error, types)), None)
    if kind is FailureKind.BROKEN_OFF and exchange.answer is None:
        kind = FailureKind.CONNECT
    return None if kind is None else Failure(kind)


def _whole_failure(exchange: Exchange, body: bytes) -> Failure | None:
    answer, reply = exchange.answer, exchange.reply
    assert answer is not None  # noqa: S101 - it was sent
    error_kind = reply.error_kind if reply is not None else ""
    if answer.status != OK:
        return failure_of_status(answer.status, error_kind, _retry_after_s(answer))
    if not body or _kind(answer) == _PAGE:
        return Failure(FailureKind.UNREADABLE)
    return Failure(FailureKind.SERVER_ERROR) if error_kind else None


def _stream_failure(exchange: Exchange, first: bytes) -> Failure | None:
    """Of a stream's first bytes: some providers answer 200 and say in the first event that they are overloaded."""
    answer = exchange.answer
    assert answer is not None  # noqa: S101 - it was sent
    if not first or _kind(answer) == _PAGE:
        return Failure(FailureKind.UNREADABLE)
    if b"error" not in first or coding_of(answer.headers) in CODINGS:
        return None
    tail = exchange.upstream_dialect.tail(usage_asked=True)
    tail.feed(first)
    facts = tail.facts()
    return Failure(FailureKind.OVERLOADED) if facts.error_kind and not facts.output_chars else None


def _retry_after_s(answer: Answer) -> float | None:
    headers = dict(answer.headers)
    text, milliseconds = headers.get(b"retry-after", b""), headers.get(b"retry-after-ms", b"")
    return parse_retry_after(text.decode("latin-1"), milliseconds.decode("latin-1"), time())


def _kind(answer: Answer) -> bytes:
    kind = next((value for name, value in answer.headers if name == b"content-type"), b"")
    return kind.partition(b";")[0].strip().lower()
