"""Chosen rules, by the tasks that were held out of them."""

from contextlib import closing
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from modicum.calls import Basis, Call, Cost, Entry, Outcome, Usage
from modicum.experiments.experiment import Arm
from modicum.experiments.rule_arms import NO_LOT, report_rules
from modicum.ledger.embedded import DuckDBStore
from modicum.ledger.records import OUTCOMES
from modicum.ledger.store import Purge

START = datetime(2026, 11, 1, 12, tzinfo=UTC)
SPAN = START, START + timedelta(days=1)
HELD_OUT, WITH = "rules.held_out", "rules.on_trial"


def entry(number, task, usd=1, **tags):
    call = Call(
        call_id=f"x:{number}", source="gateway", provider="anthropic", model="m", task=task,
        started=START + timedelta(seconds=number), usage=Usage(input_uncached=9), tags=tags,
    )  # fmt: skip
    return Entry(call, Cost(Decimal(usd), Basis.EXACT, effective_tokens=float(usd)))


def two_arms(tasks=80):
    """Every other task is held out of pings and costs twice as much; a ping of the others costs a quarter more."""
    found = []
    for number in range(tasks):
        arm, size = HELD_OUT if number % 2 else WITH, Decimal(10 + number // 2 % 5) / 10
        usd = 2 * size if number % 2 else size
        found.append(entry(10 * number, f"t{number}", usd, **{arm: "keep_warm"}))
        if arm == WITH:
            found.append(entry(10 * number + 1, f"t{number}", size / 4, cost_class="keep_warm"))
    return found


@pytest.fixture(scope="module")
def store():
    with closing(DuckDBStore(":memory:")) as store:
        yield store


@pytest.fixture
def reported(store):
    def report(entries, outcomes=(), **more):
        store.append(entries)
        store.append_records(OUTCOMES, outcomes)
        return {one.rule: one for one in report_rules(store, SPAN, {"keep_warm": 0.5}, **more)}

    yield report
    store.purge(Purge(before=SPAN[1]))


def test_arms_are_compared_with_all_that_their_tasks_cost(reported):
    found = reported(two_arms())["keep_warm"]

    assert found.grade.tasks == {Arm.CHANGED: 40, Arm.HOLD_OUT: 40}
    assert found.grade.cost.ratio == pytest.approx(1.25 / 2)  # pings are paid by the tasks that have them
    assert found.grade.cost.low <= 0.625 <= found.grade.cost.high
    assert "no outcome grades these tasks" in found.grade.why


def test_outcomes_grade_the_arms_where_there_is_one(reported):
    outcomes = [
        Outcome(outcome_id=f"o{n}", task=f"t{n}", name="ok", value=float(n % 3 > 0), time=START) for n in range(80)
    ]

    found = reported(two_arms(), outcomes, outcome="ok")["keep_warm"]

    assert found.grade.graded == {Arm.CHANGED: 40, Arm.HOLD_OUT: 40}
    assert found.grade.effect is not None


def test_a_task_of_several_rules_counts_for_each_and_one_of_both_arms_for_none(reported):
    entries = [
        entry(1, "a", **{WITH: "content.cut,guard.agents", HELD_OUT: "keep_warm"}),
        entry(2, "b", **{WITH: "keep_warm"}),
        entry(3, "b", **{HELD_OUT: "keep_warm"}),
        entry(4, "c"),
    ]

    found = reported(entries)

    assert list(found) == ["content.cut", "guard.agents", "keep_warm"]
    assert (found["keep_warm"].grade.tasks[Arm.HOLD_OUT], found["keep_warm"].tasks_of_both) == (1, 1)
    assert found["content.cut"].note == NO_LOT


def test_a_lot_that_is_not_the_settings_is_said(reported):
    entries = [entry(n, f"t{n}", **{HELD_OUT if n < 4 else WITH: "keep_warm"}) for n in range(100)]

    assert "which is not the lot" in reported(entries)["keep_warm"].grade.why


def test_tasks_that_began_before_are_left_out(reported):
    entries = [entry(-90_000, "old", **{WITH: "keep_warm"}), entry(1, "old", **{WITH: "keep_warm"})]

    assert reported(entries) == {}
