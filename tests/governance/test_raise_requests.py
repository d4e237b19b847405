from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from modicum.calls import UserError
from modicum.governance.budget_windows import parse_window
from modicum.governance.budgets import NANO, Budget, LimitUnit
from modicum.governance.raise_requests import plan_raise

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
BUDGET = Budget(name="b", unit=LimitUnit.USD, limit=10 * NANO, window=parse_window("month", "UTC"), team="*")
ASKED = {"to": "20", "until": "4h", "of": (), "why": "launch", "by": "ann", "approved_by": ""}


def plan(**fields):
    return plan_raise(BUDGET, **(ASKED | fields), zone=ZoneInfo("Europe/Berlin"), now=NOW)


def test_a_raise_is_what_was_asked_for():
    event = plan(to="$1_000.5", until="2026-12-01", of=("search",))

    assert (event.limit, event.of, event.by, event.approved_by) == (1_000_500_000_000, ("search",), "ann", "ann")
    assert event.until == datetime(2026, 11, 30, 23, tzinfo=UTC)
    assert plan(approved_by="boss").approved_by == "boss"
    assert plan().until == NOW + timedelta(hours=4)


@pytest.mark.parametrize(
    ("field", "value", "part"),
    [
        ("to", "lots", "no amount"),
        ("to", "10", "above the limit"),
        ("to", "nan", "no amount"),
        ("until", "soon", "no time"),
        ("until", "400d", "within the next 366 days"),
        ("until", "2020-01-01", "within the next"),
        ("of", ("a", "b"), "sums by 1 names"),
        ("why", " ", "reason is empty"),
    ],
)
def test_what_cannot_be_is_said(field, value, part):
    with pytest.raises(UserError, match=part):
        plan(**{field: value})
