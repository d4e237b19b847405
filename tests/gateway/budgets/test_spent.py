from contextlib import contextmanager
from datetime import timedelta

import pytest

from ledger.samples import START, entry
from modicum.calls import Owner, UserError
from modicum.gateway.budgets.spent import SpentBefore, former_spend
from modicum.governance.budget_windows import parse_window
from modicum.governance.budgets import Budget, LimitUnit
from modicum.ledger.opening import open_store

UNTIL = START + timedelta(hours=1)


@pytest.fixture
def store():
    opened = open_store(":memory:")
    yield opened
    opened.close()


def budget(per="month", unit=LimitUnit.USD, **fields):
    return Budget(name="b", unit=unit, limit=1, window=parse_window(per, "UTC"), **fields)


def live(entry_id, usd="0.25", **fields):
    return entry(entry_id, usd, source="gateway", **fields)


def test_known_costs_and_reservations_of_unknown_ones_are_added_up(store):
    store.append([live("a"), live("b", None, tags={"budget.reserved": "7/3"}), live("c", None)])

    def spent(unit):
        return [one.amount for one in former_spend(store, budget(unit=unit), START, UNTIL)]

    assert spent(LimitUnit.USD) == [250_000_007]
    assert spent(LimitUnit.EFFECTIVE_TOKENS) == [13 + 3]
    assert spent(LimitUnit.CALLS) == [3]


def test_models_that_do_not_fit_are_left_out(store):
    store.append([live("a", model="gpt-4o-2024-08-06"), live("b", model="gpt-4o-mini")])

    assert [one.amount for one in former_spend(store, budget(model="gpt-4o", unit=LimitUnit.CALLS), START, UNTIL)] == [
        1
    ]


def test_what_slides_comes_with_its_age(store):
    store.append([live("a", started=UNTIL - timedelta(minutes=59), owner=Owner(key="k"))])

    (spend,) = former_spend(store, budget("5h", key="*"), UNTIL - timedelta(hours=5), UNTIL)

    assert (spend.instance, spend.amount) == (("k",), 250_000_000)
    assert 55 * 60 <= spend.age_s <= 59 * 60


def test_without_a_ledger_nothing_is_known(tmp_path):
    with pytest.raises(UserError, match="no ledger to ask"):
        SpentBefore(tmp_path, None).find(budget(), START, UNTIL)


def test_a_journal_that_cannot_be_read_is_named(store, tmp_path):
    @contextmanager
    def opened():
        yield store

    (tmp_path / "gateway.sqlite").write_bytes(b"no database at all, but long enough to be taken for one" * 20)

    with pytest.raises(UserError, match=r"gateway.sqlite cannot be read"):
        SpentBefore(tmp_path, opened).find(budget(), START, UNTIL)


def test_a_ledger_is_asked_when_no_journal_is_ahead_of_it(store, tmp_path):
    @contextmanager
    def opened():
        yield store

    store.append([live("a")])

    assert [one.amount for one in SpentBefore(tmp_path, opened).find(budget(), START, UNTIL)] == [250_000_000]
