from datetime import UTC, datetime, timedelta

import pytest

from insights.early_signs.lives import fill, life, outcome
from ledger.samples import EVER
from modicum.calls import Owner
from modicum.insights.early_signs.owners import find_early_signs
from modicum.ledger.opening import open_store

NOW = datetime.now(UTC).replace(microsecond=0)
SPAN = EVER["since"], EVER["until"]


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """Team shop: 1,200 tasks of which each third repeats itself and fails. Team chat: three tasks. Two that run."""
    opened = open_store(str(tmp_path_factory.mktemp("early") / "ledger.duckdb"))
    entries, outcomes = [], []
    for number in range(1_200):
        bad = number % 3 == 0
        results = ["a", "a", "a", "a"] if bad else ["a", "b", "c"]
        entries += life(f"t{number}", results, at=number, owner=Owner("shop"))
        outcomes.append(outcome(f"t{number}", float(not bad)))
    for number in range(3):
        entries += life(f"chat{number}", ["a", "a"], owner=Owner("chat"))
        outcomes.append(outcome(f"chat{number}", float(number)))
    for task, team in (("stuck", "shop"), ("talks", "chat")):
        entries += life(task, ["x", "x", "x"], owner=Owner(team), started=NOW - timedelta(minutes=5))
    entries += life("fine", ["x", "y", "z"], owner=Owner("shop"), started=NOW - timedelta(minutes=5))
    entries += life("long over", ["x", "x", "x"], owner=Owner("shop"))
    fill(opened, entries, outcomes)
    yield opened
    opened.close()


def early(store, by=("team", "")):
    return find_early_signs(store, "resolved", SPAN, by=by, under_way=timedelta(hours=6), now=NOW)


def test_each_owner_has_a_rule_of_its_own_and_running_tasks_are_named_by_it(store):
    found = early(store)

    shop, chat = found.advice
    assert (shop.owner, shop.is_on, chat.owner, chat.is_on) == ("shop", True, "chat", False)
    assert [(one.task, one.owner, one.calls) for one in found.named] == [("stuck", "shop", 3)]
    assert found.named[0].after_calls < found.named[0].calls or found.named[0].after_calls == 2
    assert found.under_way == 3


def test_without_owners_all_tasks_are_of_one(store):
    found = early(store, ("", ""))

    assert [one.owner for one in found.advice] == [""]
    assert {one.task for one in found.named} == {"stuck", "talks"}


def test_an_empty_ledger_has_none(tmp_path):
    opened = open_store(str(tmp_path / "empty.duckdb"))
    found = early(opened)
    opened.close()

    assert (found.advice, found.named, found.under_way) == ([], [], 0)
