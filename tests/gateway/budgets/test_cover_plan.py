from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modicum.calls import Owner
from modicum.gateway.budgets import cover_plan
from modicum.gateway.budgets.cover_plan import CallCover, CoverPlan
from modicum.gateway.budgets.covering import CountedBudget
from modicum.governance.budget_raises import Raises, raised
from modicum.governance.budget_windows import parse_window
from modicum.governance.budgets import Amounts, AtLimit, Budget, LimitUnit, Spender

SINCE = datetime(2026, 3, 28, 22, 30, tzinfo=UTC)
"""The evening before clocks are put forward in Europe."""
NAMES = st.sampled_from(["", "a", "b"])
PATTERNS = st.sampled_from(["", "*", "a", "b"])
WINDOWS = st.sampled_from(["hour", "day", "week", "month", "ever", "90m", "5h"])
BUDGETS = st.builds(
    lambda window, zone, **fields: Budget(window=parse_window(window, zone), **fields),
    window=WINDOWS,
    zone=st.sampled_from(["UTC", "Europe/Berlin"]),
    name=st.sampled_from(["one", "other"]),
    unit=st.sampled_from(list(LimitUnit)),
    limit=st.integers(0, 1000),
    at_limit=st.sampled_from(list(AtLimit)),
    most_carried=st.sampled_from([0, 5]),
    team=PATTERNS,
    app=PATTERNS,
    user=PATTERNS,
    key=PATTERNS,
    task=PATTERNS,
    model=st.sampled_from(["", "gpt-*"]),
    tag=st.sampled_from(["", "x"]),
    tag_value=PATTERNS,
)
SPENDERS = st.builds(
    Spender,
    owner=st.builds(Owner, team=NAMES, app=NAMES, user=NAMES, key=NAMES),
    model=st.sampled_from(["gpt-4o", "gpt-4o-2024-08-06", "claude-x"]),
    task=NAMES,
    tags=st.fixed_dictionaries({}, optional={"x": NAMES, "y": NAMES}),
)
MOMENTS = st.integers(-3600, 40 * 86_400)
"""Seconds after `SINCE`."""


def raises_of(budgets):
    events = [
        raised(
            one, one.limit + 7, of, SINCE + timedelta(hours=begins), SINCE + timedelta(hours=begins + 2), "me", "", ""
        )
        for one in budgets
        for begins, of in ((1, ()), (30, ("a",)))
    ]
    return Raises(events)


@settings(max_examples=60)
@given(st.lists(BUDGETS, max_size=4), st.lists(st.tuples(SPENDERS, MOMENTS), max_size=10), st.integers(0, 4))
def test_a_call_is_covered_as_each_budget_alone_says_whatever_came_before(budgets, calls, raised_count):
    raises = raises_of(budgets[:raised_count])
    plan = CoverPlan([CountedBudget(one, SINCE, lambda: raises) for one in budgets], lambda: raises)

    for spender, after_s in calls:
        at = SINCE + timedelta(seconds=after_s)
        alone = [CountedBudget(one, SINCE, lambda: raises).covering(spender, at) for one in budgets]
        sums = plan.cover(spender, at.timestamp()).sums
        expected = [one for one in alone if one is not None]
        assert [(one.counter, one.budget, one.instance) for one in sums] == [
            (one.counter, one.budget, one.instance) for one in expected
        ]
        for one, other in zip(sums, expected, strict=True):
            assert (one.span.start >= SINCE) == (other.span.start >= SINCE)
            assert one.counted.is_sliding or one.span == other.span


def test_a_raise_holds_from_the_next_call_on():
    budget = Budget(name="b", unit=LimitUnit.CALLS, limit=10, window=parse_window("day", "UTC"))
    now = [Raises()]
    plan = CoverPlan([CountedBudget(budget, SINCE, lambda: now[0])], lambda: now[0])
    spender, at_s = Spender(Owner(), "m", "", {}), (SINCE + timedelta(hours=1, minutes=5)).timestamp()

    before = plan.cover(spender, at_s)
    assert plan.cover(spender, at_s) is before
    now[0] = raises_of([budget])
    assert [plan.cover(spender, at_s + after_s).sums[0].budget.limit for after_s in (0, 2 * 3600)] == [17, 10]


def test_no_more_kinds_of_calls_are_kept_than_fit(monkeypatch):
    monkeypatch.setattr(cover_plan, "MOST_KEPT", 3)
    each = Budget(name="b", unit=LimitUnit.CALLS, limit=10, window=parse_window("ever", "UTC"), task="*")
    plan = CoverPlan([CountedBudget(each, SINCE)])

    covers = [plan.cover(Spender(Owner(), "m", f"{number}", {}), SINCE.timestamp()) for number in range(8)]

    assert len({cover.sums[0].counter for cover in covers}) == 8
    assert len(plan._kept) <= 3


@pytest.mark.parametrize(
    ("unit", "at_limit", "refuses"),
    [
        (LimitUnit.USD, AtLimit.REFUSE, True),
        (LimitUnit.USD, AtLimit.ALERT, False),
        (LimitUnit.CALLS, AtLimit.REFUSE, False),
        (LimitUnit.JOULES, AtLimit.CUT, True),
    ],
)
def test_only_a_hard_budget_wants_to_know_what_a_call_may_cost(unit, at_limit, refuses):
    budget = Budget(name="b", unit=unit, limit=10, window=parse_window("ever", "UTC"), at_limit=at_limit)
    cover = CallCover((CountedBudget(budget, SINCE).sum_of((), SINCE),))

    assert cover.refuses(Amounts(None, None)) is refuses
    assert cover.is_calls_alone is (unit is LimitUnit.CALLS)
    assert cover.is_plain
    assert not cover.says_left
    assert not cover.assuming
