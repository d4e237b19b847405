"""`modicum outcome early-signs`, as a person types it."""

from datetime import UTC, datetime, timedelta

import pytest

from insights.early_signs.lives import fill, life, outcome
from modicum.calls import Owner
from modicum.ledger.opening import open_store


@pytest.fixture(scope="module")
def ledger(tmp_path_factory):
    place = str(tmp_path_factory.mktemp("early") / "ledger.duckdb")
    store = open_store(place)
    entries, outcomes = [], []
    for number in range(1_200):
        bad = number % 3 == 0
        entries += life(f"t{number}", ["a", "a", "a"] if bad else ["a", "b"], at=number, owner=Owner("shop"))
        outcomes.append(outcome(f"t{number}", float(not bad)))
    entries += life("stuck", ["x", "x"], owner=Owner("shop"), started=datetime.now(UTC) - timedelta(minutes=5))
    fill(store, entries, [*outcomes, outcome("t1", 1.0, "other")])
    store.close()
    return place


def test_tasks_that_run_are_named_with_how_often_that_is_wrong(modicum, ledger):
    ran = modicum("outcome", "early-signs", "--outcome", "resolved", "--by", "team", "--ledger", ledger)

    assert ran.status == 0
    assert "team shop: on: 0 of 160 alarms on 480 newer tasks were false: at most 1.9 % (95 %)" in ran.out
    assert "rule, chosen on 720 older tasks (240 failed): 1 tool results that were there before" in ran.out
    assert "1 of 1 task that runs is named" in ran.out
    assert "stuck" in ran.out


def test_where_no_rule_can_be_had_it_says_so_and_names_nothing(modicum, ledger):
    ran = modicum("outcome", "early-signs", "--outcome", "other", "--ledger", ledger)

    assert "off: 1 task has the outcome" in ran.out
    assert "no task is named: there is no rule that is sure enough" in ran.out


def test_the_document(modicum, ledger):
    document = modicum("outcome", "early-signs", "--outcome", "resolved", "--json", "--ledger", ledger).json

    assert document["advice"][0]["is_on"] is True
    assert document["advice"][0]["held_out"]["false_alarms"] == 0
    assert [one["task"] for one in document["named"]] == ["stuck"]


def test_an_outcome_that_nobody_reported(modicum, ledger):
    assert modicum("outcome", "early-signs", "--outcome", "none", "--ledger", ledger).status == 2
