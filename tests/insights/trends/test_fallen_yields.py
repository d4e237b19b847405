"""Whose outcomes cost more than they did; chance, few tasks and late outcomes are no fall."""

from datetime import timedelta

from ledger.samples import START, entry
from modicum.calls import Outcome, Owner
from modicum.insights.trends.fallen_yields import find_fallen_yields
from modicum.ledger.records import OUTCOMES

TODAY = START.date()
BY = (("team", ""),)


def book(store, *, passed=8, recent_passed=8, recent=40, usd="1", value=1.0, name="resolved", without=0, team="search"):
    """Of the four weeks before 160 tasks for a dollar each, of which `passed` of ten pass; of the last week `recent`,
    of which `recent_passed` of ten.
    """
    entries, outcomes = [], []
    tasks = [(n, 9 + n % 26, passed, "1") for n in range(160)] + [
        (n, 1 + n % 7, recent_passed, usd) for n in range(recent)
    ]
    for number, (n, days_ago, passing, cost) in enumerate(tasks):
        task, started = f"{team}-{name}-{number}", START - timedelta(days=days_ago)
        entries.append(entry(task, cost, task=task, started=started, owner=Owner(team)))
        if number < 160 or n >= without:
            outcomes.append(
                Outcome(outcome_id=task, task=task, name=name, value=value * (n % 10 < passing), time=started)
            )
    store.append(entries)
    store.append_records(OUTCOMES, outcomes)


def find(store, outcomes=(), *, fall=0.25, floor=20):
    return find_fallen_yields(store, BY, TODAY, "UTC", outcomes, fall, floor)


def test_a_yield_that_halves_is_found(store):
    book(store, recent_passed=4)

    (fall,) = find(store)

    assert (fall.name, fall.outcome, fall.tasks, fall.tasks_failed) == ("search", "resolved", 40, 24)
    assert (fall.usd_each, fall.usual_usd_each) == (2.5, 1.25)


def test_nothing_that_passes_any_more_is_found(ledger_in_memory):
    book(ledger_in_memory, recent_passed=0)

    assert [one.usd_each for one in find(ledger_in_memory)] == [None]


def test_what_may_be_chance_is_cheap_or_not_all_known_is_none(ledger_in_memory):
    book(ledger_in_memory, team="usual")
    book(ledger_in_memory, team="chance", recent_passed=7)
    book(ledger_in_memory, team="few", recent_passed=4, recent=19)
    book(ledger_in_memory, team="late", recent_passed=4, without=10)
    book(ledger_in_memory, team="cheaper", recent_passed=4, usd="0.4")
    book(ledger_in_memory, team="counts", recent_passed=4, value=3.0, name="commits")

    assert find(ledger_in_memory) == []


def test_counts_are_looked_at_where_they_are_named_and_floors_hold(ledger_in_memory):
    book(ledger_in_memory, recent_passed=4, value=3.0, name="commits")

    assert [one.outcome for one in find(ledger_in_memory, ["commits"])] == ["commits"]
    assert find(ledger_in_memory, ["commits"], fall=0.6) == []
    assert find(ledger_in_memory, ["commits"], floor=41) == []


def test_tasks_that_all_cost_the_same_leave_nothing_to_chance(ledger_in_memory):
    book(ledger_in_memory, passed=10, recent_passed=10, usd="2")

    assert [(one.usd_each, one.usual_usd_each) for one in find(ledger_in_memory)] == [(2, 1)]


def test_a_ledger_without_outcomes_has_none(ledger_in_memory):
    assert find(ledger_in_memory) == []
