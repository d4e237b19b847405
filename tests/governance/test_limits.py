import pytest

from modicum.calls import Owner
from modicum.governance.limits import (
    RateLimit,
    RateStanding,
    RateUnit,
    amount_of,
    estimate_tokens,
    exceeded,
    tightest_of,
    users_that_fit,
)

LIMIT = RateLimit(name="a", most={RateUnit.CALLS: 10, RateUnit.TOKENS: 100, RateUnit.AT_ONCE: 2})


def standing(unit, used, frees_in_s=None):
    return RateStanding(LIMIT, unit, used, frees_in_s)


def test_which_sums_a_call_counts_in():
    owner = Owner(team="t", key="k")
    each = RateLimit(name="a", most={}, key="*", upstream="*")
    assert each.instance_of(owner, "m", "u") == ("k", "u")
    assert each.is_of_upstream
    assert RateLimit(name="a", most={}, team="t").instance_of(owner, "m", "u") == ()
    assert RateLimit(name="a", most={}, team="x").instance_of(owner, "m", "u") is None
    assert RateLimit(name="a", most={}, model="gpt-*").instance_of(owner, "m", "u") is None
    assert RateLimit(name="a", most={}, upstream="x").instance_of(owner, "m", "u") is None


def test_an_estimate_is_a_quarter_of_the_bytes_and_the_bound():
    assert estimate_tokens(400, None) == 100
    assert estimate_tokens(400, 50) == 150
    assert estimate_tokens(400, -5) == 100
    assert amount_of(LIMIT, RateUnit.TOKENS, 10**12) == 100  # it takes all of it, and is made alone
    assert amount_of(LIMIT, RateUnit.CALLS, 10**12) == 1


def test_of_several_that_are_exceeded_the_longest_lasting_is_named():
    short, long_ = standing(RateUnit.CALLS, 10, 3.2), standing(RateUnit.TOKENS, 90, 40.0)
    assert exceeded([short, long_], 20) == long_
    assert exceeded([short, long_], 10) == short
    assert exceeded([standing(RateUnit.CALLS, 9), standing(RateUnit.AT_ONCE, 1)], 0) is None
    assert (short.retry_after_s, standing(RateUnit.AT_ONCE, 2).retry_after_s) == (4, 1)


def test_the_tightest_of_a_unit_and_what_is_left_of_it():
    tight = tightest_of(
        [standing(RateUnit.CALLS, 3), standing(RateUnit.CALLS, 8), standing(RateUnit.TOKENS, 99)], RateUnit.CALLS
    )
    assert (tight.left(), tight.left(1), standing(RateUnit.CALLS, 99).left()) == (2, 1, 0)
    assert tightest_of([], RateUnit.CALLS) is None


@pytest.mark.parametrize(
    ("most", "used", "users", "more"),
    [(100, 50, 5, 5), (100, 100, 5, 0), (100, 150, 5, 0), (100, 0, 5, None), (100, 50, 0, None), (10, 0.5, 1, 19)],
)
def test_how_many_more_users_fit(most, used, users, more):
    assert users_that_fit(most, used, users) == more
