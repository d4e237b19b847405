from datetime import UTC, datetime

from modicum.calls import Owner
from modicum.gateway.budgets.covering import LEAST_CALLS, CountedBudget, PaidOn, after_attempts, far_below, with_paid
from modicum.governance.budget_windows import parse_window
from modicum.governance.budgets import Budget, LimitUnit, Spender, Standing

AT = datetime(2026, 1, 1, 12, tzinfo=UTC)


def covering(name, limit=100):
    budget = Budget(name=name, unit=LimitUnit.USD, limit=limit, window=parse_window("day", "UTC"))
    return CountedBudget(budget, AT).covering(Spender(Owner(), "m", "", {}), AT)


def test_failed_attempts_count_beside_what_the_next_may_cost():
    one, other = covering("one"), covering("other")
    paid = (PaidOn(one, 7), PaidOn(other, 5))
    lines = with_paid([one.line(20)], paid)
    assert [(line.counter, line.amount, line.limit) for line in lines] == [
        (one.counter, 27, 100),
        (other.counter, 5, None),  # a fact
    ]
    assert with_paid([one.line(20)], ()) == [one.line(20)]


def test_a_verdict_looks_at_what_attempts_have_cost():
    one = covering("one")
    (standing,) = after_attempts([Standing(one.budget, 10, 1)], [one], (PaidOn(one, 7),))
    assert (standing.spent, standing.reserved) == (17, 1)


def test_a_call_is_far_below_its_limits_where_it_fits_into_them_many_times_and_half_of_them_is_free():
    one = covering("one", limit=LEAST_CALLS * 10 + 1)

    assert far_below([one.line(10), one.held_line(500)]) == [
        one.line(10)._replace(limit=LEAST_CALLS * 5),
        one.held_line(500),
    ]
    assert far_below([one.line(10), one.line(11)]) is None
    assert far_below([covering("none", limit=0).line(1)]) is None
