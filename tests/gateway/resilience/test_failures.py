from types import SimpleNamespace

import pytest

from modicum.gateway.http.refusal import ClientGone, Refused
from modicum.gateway.resilience.failures import AttemptFailed, check_reply, failure_of_error
from modicum.governance.resilience import Failure, FailureKind
from modicum.outbound.phases import PhaseTimedOut
from modicum.outbound.unreachable import TooSlow, Unreachable, Untrusted
from modicum.providers.dialects import DIALECTS
from modicum.providers.facts import DialectError, ReplyFacts


def exchange(status=None, headers=(), reply=None, dialect="openai-chat"):
    answer = None if status is None else SimpleNamespace(status=status, headers=list(headers))
    return SimpleNamespace(answer=answer, reply=reply, upstream_dialect=DIALECTS[dialect])


@pytest.mark.parametrize(
    ("error", "status", "kind"),
    [
        (Unreachable("x"), None, FailureKind.CONNECT),
        (Unreachable("x"), 0, FailureKind.BROKEN_OFF),
        (ConnectionError("x"), 200, FailureKind.BROKEN_OFF),
        (TooSlow("x"), 0, FailureKind.TIMEOUT),
        (PhaseTimedOut("x"), 200, FailureKind.TIMEOUT),
        (Untrusted("x"), None, FailureKind.UNTRUSTED),
        (Refused(503, "x", "upstream_full"), None, FailureKind.FULL),
        (Refused(503, "x", "upstream_open", 3), None, FailureKind.OPEN),
        (Refused(503, "x", "out_of_files"), None, None),
        (DialectError(400, "x"), None, None),
        (DialectError(502, "x"), 200, FailureKind.UNREADABLE),
        (ClientGone(), 200, None),
        (AttemptFailed(Failure(FailureKind.QUOTA), b""), 429, FailureKind.QUOTA),
    ],
)
def test_what_an_exception_says_of_the_upstream(error, status, kind):
    failure = failure_of_error(error, exchange(status))
    assert (failure.kind if failure else None) == kind


def test_retry_after_goes_along():
    headers = [(b"retry-after", b"9"), (b"retry-after-ms", b"1500")]
    with pytest.raises(AttemptFailed) as failed:
        check_reply(exchange(429, headers, ReplyFacts()), b"{}", is_end=True)
    assert failed.value.failure == Failure(FailureKind.RATE_LIMITED, 1.5)
    assert failed.value.end == b"{}"


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (b"application/json", b"{}"),
        (b"text/event-stream; charset=utf-8", b"data: {}\n\n"),
        (b"text/event-stream", b'data: {"choices":[{"delta":{"content":"an error"}}]}\n\n'),
        (b"application/x-ndjson", b"{}"),
    ],
)
def test_what_may_be_a_reply_is_passed_on(kind, body):
    check_reply(exchange(200, [(b"content-type", kind)], ReplyFacts()), body, is_end=False)
    check_reply(exchange(200, [(b"content-type", kind)], ReplyFacts()), body, is_end=True)


def test_a_reply_of_status_200_that_says_that_it_failed_is_a_failure():
    with pytest.raises(AttemptFailed):
        check_reply(exchange(200, (), ReplyFacts(error_kind="server_error")), b"{}", is_end=True)
