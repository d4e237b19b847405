"""Budgets, refusals and the ledger as gauges."""

from datetime import UTC, datetime

import msgspec

from ledger_process.watching.test_owner_metrics import value, values
from modicum.governance.budget_windows import parse_window
from modicum.governance.budgets import NANO, Budget, LimitUnit
from modicum.insights.budgets.standing import BudgetRow
from modicum.ledger.worker_reports import RefusalCount, WorkerReport
from modicum.ledger_process.watching.standing_metrics import BudgetMetrics, LedgerMetrics, WorkerMetrics

NOW = datetime(2026, 11, 30, tzinfo=UTC)


def row(instance=(), spent=0, limit=10 * NANO, unit=LimitUnit.USD, **scope):
    budget = Budget(name="b", unit=unit, limit=limit, window=parse_window("day", "UTC"), **scope)
    return BudgetRow(budget=budget, instance=instance, spent=spent, resets=NOW)


def labels(team="", app="", key="", unit="usd"):
    return {"budget": "b", "unit": unit, "team": team, "app": app, "key": key}


def test_a_budget_shows_what_is_left_by_whom_it_covers():
    each = row(("ci",), 4 * NANO, team="research", key="*")
    metrics = BudgetMetrics(lambda: [each], 10)

    assert value(metrics, "modicum_budget_left", **labels("research", key="ci")) == 6
    assert value(metrics, "modicum_budget_limit", **labels("research", key="ci")) == 10
    begins_anew = value(metrics, "modicum_budget_begins_anew_timestamp_seconds", **labels("research", key="ci"))
    assert begins_anew == NOW.timestamp()
    reached = value(metrics, "modicum_budget_limit_reached_timestamp_seconds", **labels("research", key="ci"))
    assert reached is None


def test_users_are_not_named_and_the_one_with_the_least_left_stands_for_all():
    rows = [row((user,), spent * NANO, user="*") for user, spent in (("ann", 1), ("bob", 9), ("cy", 5))]
    metrics = BudgetMetrics(lambda: rows, 10)

    assert value(metrics, "modicum_budget_left", **labels()) == 1
    assert not any(user in str(values(metrics)) for user in ("ann", "bob", "cy"))


def test_the_fullest_budgets_keep_their_labels():
    rows = [row((f"k{number}",), number, 1000, LimitUnit.CALLS, key="*") for number in range(1000)]
    metrics = BudgetMetrics(lambda: rows, 5)
    left = {place: amount for place, amount in values(metrics).items() if place[0] == "modicum_budget_left"}

    assert sorted(left.values()) == [1, 2, 3, 4, 5, 6]
    assert value(metrics, "modicum_budget_left", **labels("other", "other", "other", "calls")) == 6


def test_teams_without_a_key_of_their_own_all_have_labels():
    rows = [row((f"team {number}",), 0, team="*") for number in range(60)]

    assert len([place for place in values(BudgetMetrics(lambda: rows, 200)) if place[0] == "modicum_budget_left"]) == 60


def test_a_budget_of_nothing_has_nothing_left():
    assert value(BudgetMetrics(lambda: [row(limit=0)], 5), "modicum_budget_left", **labels()) == 0


def test_refusals_are_the_sum_of_all_workers():
    one = [RefusalCount(team="a", key="ci", kind="budget_exceeded", count=3)]
    other = [msgspec.structs.replace(one[0], count=4), RefusalCount(kind="missing_key", count=1)]
    reports = {"gateway": WorkerReport(at=NOW, refusals=one), "gateway-2": WorkerReport(at=NOW, refusals=other)}
    metrics = WorkerMetrics(lambda: reports, 10)

    by_owner = {"team": "a", "app": "", "key": "ci", "kind": "budget_exceeded"}
    assert value(metrics, "modicum_owner_refusals_total", **by_owner) == 7
    assert value(metrics, "modicum_owner_refusals_total", team="", app="", key="", kind="missing_key") == 1


def test_the_ledger_says_how_far_it_is_behind():
    metrics = LedgerMetrics(lambda: True, lambda: 12, lambda: 1)

    assert value(metrics, "modicum_ledger_away") == 1
    assert value(metrics, "modicum_journal_records_unshipped") == 12
    assert value(metrics, "modicum_gateway_workers_troubled") == 1
