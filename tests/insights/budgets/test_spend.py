from datetime import UTC, datetime, timedelta
from decimal import Decimal

from ledger.samples import START, entry
from modicum.calls import Basis, Owner
from modicum.governance.budget_windows import parse_window
from modicum.governance.budgets import Budget, LimitUnit
from modicum.governance.energy_rate import EnergyRate
from modicum.insights.budgets.spend import EACH_FIELDS, find_spend, former_spend

UNTIL = START + timedelta(hours=1)


def scope(**fields):
    return dict.fromkeys((*EACH_FIELDS, "tag"), "") | fields


def live(entry_id, usd="0.25", **fields):
    return entry(entry_id, usd, **({"source": "gateway", "calls_count": 1} | fields))


def test_only_what_went_through_the_gateway_within_the_span_counts(store):
    store.append([live("a"), live("b", started=UNTIL), entry("c"), live("d", started=START - timedelta(days=1))])

    (spend,) = find_spend(store, scope(), START, UNTIL)

    assert (spend.usd, spend.effective_tokens, spend.calls, spend.instance) == (Decimal("0.25"), 12.5, 1, ())


def test_each_name_that_is_divided_by_has_a_sum_of_its_own(store):
    ci, ada = Owner("platform", "", "ada", "ci"), Owner("platform", "", "bob", "ci")
    store.append([live("a", owner=ci, task="x"), live("b", owner=ci, task="y"), live("c", owner=ada, task="x")])

    by_user = find_spend(store, scope(team="platform", user="*"), START, UNTIL)
    by_task = find_spend(store, scope(user="ada", task="*", team="*"), START, UNTIL)

    assert [(one.instance, one.calls) for one in by_user] == [(("ada",), 2), (("bob",), 1)]
    assert [(one.instance, one.calls) for one in by_task] == [(("platform", "x"), 1), (("platform", "y"), 1)]
    assert find_spend(store, scope(team="research"), START, UNTIL) == []


def test_tags_divide_too(store):
    store.append([live("a", tags={"env": "prod"}), live("b", tags={"env": "test"}), live("c")])

    each = find_spend(store, scope(tag="env", tag_value="*"), START, UNTIL)

    assert [(one.instance, one.calls) for one in each] == [(("",), 1), (("prod",), 1), (("test",), 1)]
    assert [one.calls for one in find_spend(store, scope(tag="env", tag_value="prod"), START, UNTIL)] == [1]


def test_calls_whose_cost_is_unknown_say_what_was_reserved_for_them(store):
    tags = {"budget.reserved": "500/20"}
    store.append([live("a", None, tags=tags), live("b", None, tags=tags), live("c", None), live("d", tags=tags)])

    spends = {
        one.reserved: (one.usd, one.calls, one.calls_unpriced) for one in find_spend(store, scope(), START, UNTIL)
    }

    assert spends[("500/20", 2)] == (0, 2, 2)
    assert spends[("", 2)] == (Decimal("0.25"), 2, 1)


def test_slots_say_how_long_ago_it_was(store):
    store.append([live("a", started=UNTIL - timedelta(seconds=5)), live("b", started=UNTIL - timedelta(seconds=125))])

    spends = find_spend(store, scope(), START - timedelta(days=1), UNTIL, slot_s=60.0)

    assert sorted((one.age_s, one.calls) for one in spends) == [(0.0, 1), (120.0, 1)]
    assert datetime.now(UTC) > UNTIL


def test_joules_are_worked_out_from_tokens_and_what_nobody_counted_counts_as_it_was_reserved(store):
    """Ten computed tokens with 40 written to a cache, 20 read and 110 generated in each."""
    rate = EnergyRate(model="opus", per_computed=10**9, per_cached=10**8, per_generated=10**10)
    rack = Budget(
        name="rack", unit=LimitUnit.JOULES, limit=1, window=parse_window("day", "UTC"), energy=(rate,), task="*"
    )
    reserved = {"budget.reserved": "5/6/700"}
    unknown = {"usage_basis": Basis.UNKNOWN, "output_basis": Basis.UNKNOWN}
    store.append(
        [
            live("a", None, task="x", tags=reserved),
            live("b", task="x", **unknown, tags=reserved),
            live("c", None, task="x", model="other", tags=reserved),
            live("d", task="y", **unknown),
            live("e", task="y", model="other", tags={"budget.reserved": "5/6"}),
        ]
    )

    sums = {one.instance: (one.amount, one.calls_unknown) for one in former_spend(store, rack, START, UNTIL)}

    assert sums == {("x",): (50_000 + 2_000 + 1_100_000 + 2 * 700, 0), ("y",): (0, 2)}
