"""How things stand, looked at again and again: each event is told once, in the log and on disk."""

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from ledger.samples import entry
from ledger_process.watching.test_owner_metrics import value
from modicum.calls import CallStatus, Charges, Usage, UserError
from modicum.governance.alerts import AlertKind, Situation, WorkerState
from modicum.governance.budget_windows import LONG_AGO, parse_window
from modicum.governance.budgets import NANO, Budget, LimitUnit
from modicum.insights.budgets.standing import BudgetRow
from modicum.ledger.worker_reports import RefusalCount, WorkerReport
from modicum.ledger_process.watching.alert_log import AlertLog
from modicum.ledger_process.watching.alerting import (
    MOST_UNPRICED,
    UNPRICED_FOR_S,
    Alerting,
    LedgerLag,
    RefusalWindow,
    UnknownFields,
    UnpricedModels,
    alert_line,
    budget_state,
    worker_states,
)
from modicum.settings import AlertSettings

NOW = datetime(2026, 11, 30, 8, tzinfo=UTC)


def report(count, **more):
    return WorkerReport(at=NOW, refusals=[RefusalCount(key="ci", kind="rate_limited", count=count)], **more)


def test_refusals_are_counted_within_five_minutes_over_all_workers():
    window, start = RefusalWindow(), {"gateway": report(100), "gateway-2": report(50)}

    assert window.lately(NOW, start) == []
    (lately,) = window.lately(NOW + timedelta(minutes=1), {"gateway": report(107), "gateway-2": report(53)})
    assert (lately.key, lately.kind, lately.requests) == ("ci", "rate_limited", 10)
    assert window.lately(NOW + timedelta(minutes=7), {"gateway": report(107), "gateway-2": report(53)}) == []


def test_a_sum_that_was_set_back_is_no_refusal():
    window = RefusalWindow()
    window.lately(NOW, {"gateway": report(100)})

    assert window.lately(NOW + timedelta(seconds=2), {}) == []
    assert window.lately(NOW + timedelta(seconds=4), {"gateway": report(3)}) == []


def test_a_model_without_a_price_is_remembered_for_an_hour_and_what_failed_is_not():
    now = [0.0]
    models = UnpricedModels(lambda: now[0])
    models.add([entry("a", None, model="mine"), entry("b", "1"), entry("c", None, status=CallStatus.ERROR)])
    models.add([entry("d", None, usage=Usage())])

    assert models.lately() == [("anthropic", "mine")]
    now[0] = UNPRICED_FOR_S + 1
    assert models.lately() == []
    models.add([entry(f"{number}", None, model=f"m{number}") for number in range(MOST_UNPRICED + 50)])
    assert len(models.lately()) == MOST_UNPRICED


def test_the_lag_is_the_age_of_the_oldest_record_that_waits():
    now = [0.0]
    lag = LedgerLag(lambda: now[0])

    def at(seconds, records, unshipped):
        now[0] = seconds
        return lag.seconds(records, unshipped)

    assert at(0, 10, 0) == 0
    assert at(10, 15, 5) == 0
    assert at(20, 25, 12) == 10
    assert at(30, 40, 15) == 0  # the first 25 have arrived: the others came at 30
    assert at(90, 40, 15) == 60
    assert at(91, 12, 3) == 0  # a journal has gone
    assert at(99, 12, 0) == 0


def test_under_a_steady_load_nothing_is_behind():
    now = [0.0]
    lag = LedgerLag(lambda: now[0])

    for second in range(300):
        now[0] = second
        assert lag.seconds(1000 + 200 * second, 150) < 2


def test_budgets_and_workers_as_alerts_look_at_them():
    def row(per):
        budget = Budget(name="b", unit=LimitUnit.USD, limit=NANO, window=parse_window(per, "UTC"))
        return budget_state(BudgetRow(budget=budget, instance=("a",), spent=5), NOW)

    assert row("day").begins == datetime(2026, 11, 30, tzinfo=UTC)
    assert row("5h").begins == row("ever").begins == LONG_AGO
    states = worker_states({"gateway": report(1, trouble="x"), "gateway-2": report(1, ended=True)})
    assert states == [WorkerState("gateway", NOW, "x")]


class Desk:
    """An alerting over a situation that a test sets."""

    def __init__(self, folder, **settings):
        self.written, self.reported = [], []
        self.situation = {}
        self.log = AlertLog(folder)
        self.settings = AlertSettings(**settings)
        self.make()

    def make(self):
        self.alerting = Alerting(
            self.log,
            lambda: self.settings,
            lambda now: Situation(now, **self.situation),
            self.written.append,
            self.reported.append,
            has_webhook=True,
        )

    def look(self, minutes=0):
        return [alert.kind for alert in self.alerting.look_once(NOW + timedelta(minutes=minutes))]


@pytest.fixture
def desk(tmp_path):
    return Desk(tmp_path)


def test_an_event_is_told_once_also_after_a_restart(desk):
    desk.situation = {"unpriced": [("openai", "gpt-9")]}

    assert desk.look() == [AlertKind.UNKNOWN_PRICE]
    assert desk.look(1) == []
    desk.make()
    assert desk.look(2) == []
    assert [one.alert.kind for one in desk.log.newest(9)] == [AlertKind.UNKNOWN_PRICE]
    assert len(desk.written) == 1
    assert value(desk.alerting, "modicum_alerts_waiting") == 1
    assert value(desk.alerting, "modicum_alerts_total", kind="unknown_price") == 0  # since this start


def test_changed_settings_count_at_the_next_look(desk):
    desk.situation = {"ledger_lag_s": 30.0}
    assert desk.look() == []
    desk.settings = AlertSettings(behind_s=20)

    assert desk.look() == [AlertKind.LEDGER_BEHIND]


def test_an_alert_that_cannot_be_kept_is_told_when_it_can(desk, tmp_path):
    desk.situation = {"unpriced": [("openai", "gpt-9")]}
    desk.log.path.mkdir()
    with pytest.raises(UserError, match="file of alerts"):
        desk.look()
    assert desk.written == []
    desk.log.path.rmdir()

    assert desk.look() == [AlertKind.UNKNOWN_PRICE]


def test_what_goes_wrong_is_reported_once_and_looking_goes_on(desk, monkeypatch):
    rounds = []

    async def no_wait(_seconds):
        rounds.append(1)
        if len(rounds) == 3:
            raise asyncio.CancelledError

    monkeypatch.setattr("modicum.ledger_process.watching.alerting.asyncio.sleep", no_wait)
    desk.situation = {"unpriced": "not a list of pairs"}
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(desk.alerting.run())

    assert Counter(line.split(" at ")[0] for line in desk.reported) == {"alerts: ValueError": 1}


def test_a_line_of_the_log_has_sentence_and_figures(desk):
    desk.situation = {"ledger_lag_s": 90.0, "ledger_reason": "held by process 5"}
    desk.look()
    line = alert_line(desk.written[0])

    assert (line["kind"], line["lag_s"], line["reason"]) == ("ledger_behind", 90, "held by process 5")
    assert not {"event", "at"} & line.keys()


def test_what_is_not_understood_of_calls_is_remembered_for_an_hour():
    now = [0.0]
    fields = UnknownFields(lambda: now[0])
    fields.add([entry("c1", charges=Charges(caveats=("usage.new_tokens",))), entry("c2")])

    assert fields.lately() == [("anthropic", "usage.new_tokens")]
    now[0] = 3_700
    assert fields.lately() == []
