from datetime import UTC, datetime, timedelta

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from modicum.governance.budget_raises import RaiseEvent, Raises, audit_raises, raised, raised_to
from modicum.governance.budget_windows import parse_window
from modicum.governance.budgets import Budget, LimitUnit

NOW = datetime(2026, 11, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
BUDGET = Budget(
    name="b", unit=LimitUnit.CALLS, limit=100, window=parse_window("day", "UTC"), downgrade_above=80, key="*"
)


def raise_to(limit, of=(), hours=2, at=NOW):
    return raised(BUDGET, limit, of, at, at + hours * HOUR, "bob", "ann", "launch")


def end(event, at=NOW + HOUR):
    return RaiseEvent(what="ended", raise_id=event.raise_id, budget="b", at=at, by="bob", unit=event.unit)


def test_a_raise_holds_from_its_approval_until_its_end_and_then_all_is_as_before():
    raises = Raises([raise_to(150)])
    limits = [raises.limit_of(BUDGET, ("ci",), NOW + hours * HOUR) for hours in (-1, 0, 1.99, 2, 3)]

    assert limits == [100, 150, 150, 100, 100]


def test_the_highest_of_several_holds_and_one_for_a_name_is_for_that_name():
    raises = Raises([raise_to(150), raise_to(300, ("ci",)), raise_to(120)])

    assert raises.limit_of(BUDGET, ("ci",), NOW) == 300
    assert raises.limit_of(BUDGET, ("web",), NOW) == 150


def test_what_the_settings_allow_is_never_taken_away():
    raises = Raises([raise_to(150)])
    higher, other_unit = (
        msgspec.structs.replace(BUDGET, limit=200),
        msgspec.structs.replace(BUDGET, unit=LimitUnit.USD),
    )

    assert raises.limit_of(higher, ("ci",), NOW) == 200
    assert raises.limit_of(other_unit, ("ci",), NOW) == 100  # 150 was meant as calls


@given(st.permutations([0, 1, 2]), st.lists(st.integers(0, 2), max_size=3))
def test_events_may_come_in_any_order_and_again(order, again):
    first, second = raise_to(150), raise_to(300)
    events = [first, second, end(second)]

    assert Raises([events[at] for at in (*order, *again)]).limit_of(BUDGET, (), NOW) == 150


def test_the_cheaper_model_begins_later_too():
    assert raised_to(BUDGET, 200).downgrade_above == 160
    assert raised_to(msgspec.structs.replace(BUDGET, agent_line_below=20), 200).agent_line_below == 40
    assert raised_to(BUDGET, 100) is BUDGET
    assert raised_to(msgspec.structs.replace(BUDGET, limit=0, downgrade_above=0), 5).downgrade_above == 0


def test_the_audit_log_says_who_approved_what_until_when_and_why():
    event = raise_to(150, ("ci",))
    of_raise, of_end = audit_raises([event, end(event)])

    assert (of_raise.kind, of_raise.what, of_raise.subject, of_raise.by) == ("budget", "raised", "b", "bob")
    assert of_raise.details == {
        "raise": event.raise_id,
        "unit": "calls",
        "limit": "150",
        "until": "2026-11-01T02:00:00+00:00",
        "of": "ci",
        "approved_by": "ann",
        "why": "launch",
    }
    assert (of_end.what, of_end.details) == ("ended", {"raise": event.raise_id})
    assert of_end.event_id != of_raise.event_id
