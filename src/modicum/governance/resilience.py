"""What becomes of a call whose upstream failed: it is tried again there, goes elsewhere, or ends so.

Pure: what failed, what was tried and what is left is handed over, chance included.
"""

from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import NamedTuple

import msgspec

from modicum.calls import Owner
from modicum.governance.budgets import fits_model

MOST_SAVED_RETRIES = 10.0
"""Retries that an upstream's calls have earned and not used; also how many there are at first."""
MOST_ATTEMPTS = 20
"""Of one call, whatever its policy says."""


class FailureKind(StrEnum):
    """Why an attempt failed, before any of its reply was passed on."""

    CONNECT = "connect"
    TIMEOUT = "timeout"
    BROKEN_OFF = "broken_off"
    RATE_LIMITED = "rate_limited"
    OVERLOADED = "overloaded"
    SERVER_ERROR = "server_error"
    UNREADABLE = "unreadable"
    """Status 200 with an empty body, or with what is no reply."""
    QUOTA = "quota"
    """Its key has nothing left there: to ask again is of no use."""
    UNTRUSTED = "untrusted"
    """Its certificate is not believed."""
    FULL = "full"
    """It has as many calls under way as it may have."""
    OPEN = "open"
    """Its circuit is open, or it said when to come again."""


NEVER_SENT = {FailureKind.FULL, FailureKind.OPEN}
"""Failures of which there is nothing to record."""
_ELSEWHERE_ONLY = {FailureKind.QUOTA, FailureKind.UNTRUSTED, FailureKind.FULL, FailureKind.OPEN}
_OF_UPSTREAM = {
    FailureKind.CONNECT,
    FailureKind.TIMEOUT,
    FailureKind.BROKEN_OFF,
    FailureKind.OVERLOADED,
    FailureKind.SERVER_ERROR,
    FailureKind.UNREADABLE,
    FailureKind.UNTRUSTED,
}
_BY_STATUS = {
    408: FailureKind.TIMEOUT,
    425: FailureKind.OVERLOADED,
    429: FailureKind.RATE_LIMITED,
    503: FailureKind.OVERLOADED,
    504: FailureKind.TIMEOUT,
    524: FailureKind.TIMEOUT,
    529: FailureKind.OVERLOADED,
}
_FROM_SERVER_ERROR = 500
_NO_FAILURE = {501, 505}
"""They will not be better the next time."""


class Failure(NamedTuple):
    kind: FailureKind
    retry_after_s: float | None = None
    """When the upstream said that it is worth another try."""

    @property
    def is_of_upstream(self) -> bool:
        """Whether it counts for the upstream's circuit."""
        return self.kind in _OF_UPSTREAM


class ResiliencePolicy(msgspec.Struct, frozen=True, kw_only=True):
    """What is tried for somebody's calls when an upstream fails. The first policy that covers a call counts."""

    name: str
    retries: int = 0
    """How often a call is sent again where it failed."""
    fallbacks: tuple[str, ...] = ()
    """Where it goes then, one after another: `UPSTREAM/MODEL`, or an alias."""
    providers: tuple[str, ...] = ()
    """Providers that its calls may go to; none: all."""
    regions: tuple[str, ...] = ()
    """Regions that they may be served in; none: all."""
    first_wait_s: float = 0.25
    most_wait_s: float = 8.0
    """A retry that would have to wait longer is not made."""
    hedge_after_s: float = 0.0
    """How long a call waits for its reply to begin before it is sent a second time to the same place; 0: for ever."""
    team: str = ""
    """Whose calls; empty: all. So are the following."""
    app: str = ""
    user: str = ""
    key: str = ""
    model: str = ""
    """A pattern."""

    def covers(self, owner: Owner, model: str) -> bool:
        if not owner.fits(self.team, self.app, self.user, self.key):
            return False
        return not self.model or fits_model(self.model, model)

    def allows(self, provider: str, region: str) -> bool:
        """Whether its calls may go there; an unknown region is in none of those that are named."""
        return (not self.providers or provider in self.providers) and (not self.regions or region in self.regions)


NO_POLICY = ResiliencePolicy(name="")


class StepKind(StrEnum):
    RETRY = "retry"
    FALLBACK = "fallback"
    STOP = "stop"


class NextStep(NamedTuple):
    kind: StepKind
    wait_s: float = 0.0


def failure_of_status(status: int, error_kind: str = "", retry_after_s: float | None = None) -> Failure | None:
    """What an upstream's answer is; None: no failure of the upstream's, and to send the call again is of no use."""
    if error_kind in {"insufficient_quota", "billing_hard_limit_reached"}:
        return Failure(FailureKind.QUOTA)
    kind = _BY_STATUS.get(status)
    if kind is None and status >= _FROM_SERVER_ERROR and status not in _NO_FAILURE:
        kind = FailureKind.SERVER_ERROR
    return None if kind is None else Failure(kind, retry_after_s)


def next_step(
    policy: ResiliencePolicy,
    failure: Failure,
    *,
    retries_made: int,
    fallbacks_left: int,
    retries_saved: float,
    chance: float,
) -> NextStep:
    """What is done after an attempt has failed.

    Args:
        policy: of the call.
        failure: of the attempt.
        retries_made: how often it was sent again to where it failed.
        fallbacks_left: how many other ways there are.
        retries_saved: what the upstream's retry budget holds.
        chance: a random number in 0..1, so that callers that failed together do not come again together.
    """
    if failure.kind not in _ELSEWHERE_ONLY and retries_made < policy.retries and retries_saved >= 1:
        wait_s = min(policy.first_wait_s * 2.0**retries_made, policy.most_wait_s) * (0.5 + chance / 2)
        if failure.retry_after_s is not None:
            # Never sooner than it was asked for, and not all at once then.
            wait_s = failure.retry_after_s + policy.first_wait_s * chance
        if wait_s <= policy.most_wait_s or failure.retry_after_s is None:
            return NextStep(StepKind.RETRY, wait_s)
    return NextStep(StepKind.FALLBACK if fallbacks_left else StepKind.STOP)


def saved_after_call(saved: float, share: float) -> float:
    """An upstream's retry budget after a call's first attempt: each earns a share of a retry."""
    return min(saved + share, MOST_SAVED_RETRIES)


def parse_retry_after(text: str, milliseconds: str, now_s: float) -> float | None:
    """The seconds that a `Retry-After` asks for, in whole seconds or as a date (RFC 9110), or `retry-after-ms`; None
    where it says nothing that can be read.
    """
    for value, unit_s in ((milliseconds, 0.001), (text, 1.0)):
        plain = value.strip()
        if plain and len(plain) <= 12 and plain.isascii() and plain.replace(".", "", 1).isdigit():
            return float(plain) * unit_s
    if not text:
        return None
    try:
        return max(parsedate_to_datetime(text).timestamp() - now_s, 0.0)
    except (ValueError, OverflowError):
        return None
