from datetime import UTC, datetime
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modicum.calls import Owner
from modicum.governance.resilience import (
    MOST_SAVED_RETRIES,
    Failure,
    FailureKind,
    ResiliencePolicy,
    StepKind,
    failure_of_status,
    next_step,
    parse_retry_after,
    saved_after_call,
)

POLICY = ResiliencePolicy(name="all", retries=3, first_wait_s=1.0, most_wait_s=8.0)


def step(failure, *, retries_made=0, fallbacks_left=0, retries_saved=10.0, chance=1.0, policy=POLICY):
    return next_step(
        policy,
        failure,
        retries_made=retries_made,
        fallbacks_left=fallbacks_left,
        retries_saved=retries_saved,
        chance=chance,
    )


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, None),
        (401, None),
        (404, None),
        (409, None),
        (501, None),
        (200, None),
        (408, FailureKind.TIMEOUT),
        (429, FailureKind.RATE_LIMITED),
        (500, FailureKind.SERVER_ERROR),
        (502, FailureKind.SERVER_ERROR),
        (503, FailureKind.OVERLOADED),
        (504, FailureKind.TIMEOUT),
        (529, FailureKind.OVERLOADED),
    ],
)
def test_what_a_status_says(status, kind):
    failure = failure_of_status(status)
    assert (failure.kind if failure else None) == kind


def test_a_key_that_has_nothing_left_is_not_asked_again():
    failure = failure_of_status(429, "insufficient_quota", 1.0)
    assert step(failure, fallbacks_left=1).kind is StepKind.FALLBACK
    assert step(failure).kind is StepKind.STOP


def test_waits_double_up_to_the_most_and_half_is_chance():
    failure = Failure(FailureKind.SERVER_ERROR)
    assert [step(failure, retries_made=made).wait_s for made in range(3)] == [1.0, 2.0, 4.0]
    assert step(failure, chance=0.0).wait_s == 0.5
    assert step(failure, retries_made=3, fallbacks_left=1).kind is StepKind.FALLBACK


def test_retry_after_is_never_undercut_and_too_long_a_wait_is_no_retry():
    assert step(Failure(FailureKind.RATE_LIMITED, 3.0), chance=0.0).wait_s == 3.0
    assert step(Failure(FailureKind.RATE_LIMITED, 60.0)).kind is StepKind.STOP
    assert step(Failure(FailureKind.RATE_LIMITED, 60.0), fallbacks_left=1).kind is StepKind.FALLBACK


def test_without_savings_there_is_no_retry():
    failure = Failure(FailureKind.SERVER_ERROR)
    assert step(failure, retries_saved=0.9).kind is StepKind.STOP
    assert saved_after_call(0.9, 0.2) == pytest.approx(1.1)
    assert saved_after_call(MOST_SAVED_RETRIES, 1.0) == MOST_SAVED_RETRIES


@given(
    kind=st.sampled_from(FailureKind),
    after=st.none() | st.floats(0, 1e6),
    made=st.integers(0, 20),
    left=st.integers(0, 3),
    saved=st.floats(0, 10),
    chance=st.floats(0, 1),
)
def test_no_step_goes_beyond_its_policy(kind, after, made, left, saved, chance):
    found = step(Failure(kind, after), retries_made=made, fallbacks_left=left, retries_saved=saved, chance=chance)
    if found.kind is StepKind.RETRY:
        assert made < POLICY.retries
        assert saved >= 1
        assert 0 <= found.wait_s <= POLICY.most_wait_s
        assert after is None or found.wait_s >= after
    if found.kind is StepKind.FALLBACK:
        assert left > 0


@pytest.mark.parametrize(
    ("text", "milliseconds", "seconds"),
    [
        ("7", "", 7.0),
        (" 2.5 ", "", 2.5),
        ("7", "1500", 1.5),
        ("", "", None),
        ("soon", "", None),
        ("-3", "", None),
        ("nan", "", None),
        ("1e9", "", None),
        ("9" * 30, "", None),
        ("\u0667", "", None),
        (format_datetime(datetime(2026, 1, 1, 0, 1, tzinfo=UTC), usegmt=True), "", 60.0),
        (format_datetime(datetime(2025, 1, 1, tzinfo=UTC), usegmt=True), "", 0.0),
        ("Mon, 99 Foo 2026 00:00:00 GMT", "", None),
    ],
)
def test_retry_after_as_seconds_milliseconds_and_date(text, milliseconds, seconds):
    assert parse_retry_after(text, milliseconds, datetime(2026, 1, 1, tzinfo=UTC).timestamp()) == seconds


def test_whom_a_policy_covers_and_where_it_lets_calls_go():
    policy = ResiliencePolicy(name="shop", team="shop", model="gpt-*", providers=("openai",), regions=("eu",))
    assert policy.covers(Owner(team="shop", app="x"), "gpt-5")
    assert not policy.covers(Owner(team="other"), "gpt-5")
    assert not policy.covers(Owner(team="shop"), "claude")
    assert policy.allows("openai", "eu")
    assert not policy.allows("openai", "")
    assert not policy.allows("groq", "eu")
    assert ResiliencePolicy(name="any").allows("", "")
