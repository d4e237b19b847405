"""Savings, estimated from a ledger with known prices, and measured."""

from datetime import UTC, datetime, timedelta

import pytest

from modicum.calls import Call, Edit, Outcome, Owner, Usage
from modicum.experiments.decisions import EVENT_KIND, ExperimentEvent, Experiments
from modicum.experiments.experiment import Arm
from modicum.ledger.booking import book
from modicum.ledger.events import EventFile
from modicum.ledger.opening import open_store
from modicum.ledger.records import OUTCOMES
from modicum.metering.prices import PriceBook
from modicum.settings import Settings, ledger_place, state_folder

NOW = datetime.now(UTC)
KEY = b"k" * 32


def entry(number, model, at, task, prices, **fields):
    call = Call(
        call_id=f"chatcmpl-{number:032}",
        source="gateway",
        provider="openai",
        model=model,
        started=at,
        finished=at,
        task=task,
        usage=Usage(10_000 + number % 7 * 1000, 0, 0, 0, 500, 0),
        owner=Owner(),
        **fields,
    )
    return book(call, prices)


@pytest.fixture
def ledger(home):
    opened = open_store(ledger_place(Settings()))
    yield opened
    opened.close()


def test_start_writes_the_estimate_down_and_savings_and_audit_set_the_measured_one_beside_it(modicum, ledger):
    prices = PriceBook()
    ledger.append([entry(n, "gpt-4o", NOW - timedelta(days=1), f"before {n}", prices) for n in range(5)])
    ledger.close()
    assert "no experiment was started" in modicum("experiment", "savings").out
    words = ("--model", "gpt-4o", "--to", "gpt-4o-mini", "--outcome", "resolved")
    assert "a replay of the last 30 days says that it saves 94" in modicum("experiment", "start", "cheaper", *words).out
    events = EventFile(state_folder() / "events.sqlite")
    one = Experiments(events.read(EVENT_KIND, ExperimentEvent)).named("cheaper")
    events.close()
    store = open_store(ledger_place(Settings()))
    arms = {f"t{number}": one.arm_of(f"t{number}", KEY) for number in range(120)}
    edit = Edit(one.rule_name, None, None, "asks another")
    store.append(
        [
            entry(
                100 + number,
                "gpt-4o-mini" if arm is Arm.CHANGED else "gpt-4o",
                one.started_at + timedelta(microseconds=number),
                task,
                prices,
                tags={one.tag: arm.value},
                edits=(edit,) if arm is Arm.CHANGED else (),
            )
            for number, (task, arm) in enumerate(arms.items())
        ]
    )
    store.append_records(
        OUTCOMES,
        [Outcome(outcome_id=task, task=task, name="resolved", value=float(task[-1] != "3"), time=NOW) for task in arms],
    )
    store.close()

    (saved,) = modicum("experiment", "savings", "--json").json["experiments"]
    assert saved["estimated_share"] == pytest.approx(0.94, abs=0.01)
    assert saved["measured_low"] < saved["measured_share"] < saved["measured_high"]
    assert saved["came_true"] is True
    assert "1 of 1 estimated savings came true" in modicum("experiment", "savings").out
    assert "changes on trial" in modicum("audit").out
    trials = modicum("audit", "--json").json["trials"]
    assert (trials["hits"], trials["judged"]) == (1, 1)
    bill = modicum("bill", "--json").json
    assert bill["trials"] == trials
    shown = modicum("bill").out
    assert "changes on trial in that time, each over all of its tasks; none of it is in the sums above:" in shown
    assert "1 of 1 estimated savings came true within the measured interval" in shown
    assert modicum("bill", "--until", (NOW - timedelta(hours=12)).isoformat(), "--json").json["trials"] is None


def test_without_an_interval_it_says_why(modicum, home):
    modicum("experiment", "start", "cheaper", "--model", "gpt-4o", "--to", "gpt-4o-mini", "--outcome", "resolved")
    shown = modicum("experiment", "savings").out

    assert "cheaper: no interval was measured: of no task it is known" in shown
    assert "no saving was both estimated and measured yet" in shown
