"""Which events are told, and that each is told once."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modicum.governance.alerts import (
    Alert,
    AlertKind,
    AlertRules,
    BudgetState,
    LoopState,
    Raised,
    RefusedLately,
    Situation,
    UnusualDay,
    WatchedOwner,
    WorkerState,
    YieldState,
    conditions,
    new_alerts,
)
from modicum.governance.budgets import NANO, LimitUnit

NOW = datetime(2026, 11, 15, tzinfo=UTC)
MONTH = datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
RULES = AlertRules()


def budget(spent, limit=100, crossed_at=None, begins=MONTH[0], resets=MONTH[1], names=("research",)):
    return BudgetState("b", names, LimitUnit.USD, limit * NANO, int(spent * NANO), begins, resets, crossed_at)


def team(name):
    return WatchedOwner((("team", name),))


def kinds(**situation):
    return [alert.kind for alert in conditions(Situation(NOW, **situation), RULES)]


def told(situations, rules=RULES):
    """What is told of one situation after the other."""
    raised, texts = {}, []
    for situation in situations:
        alerts, raised = new_alerts(conditions(situation, rules), raised, situation.at, rules.again_after)
        texts.append([(alert.kind, alert.facts.get("step")) for alert in alerts])
    return texts


@pytest.mark.parametrize(
    ("spent", "step"), [(0, None), (49.99, None), (50, 0.5), (79, 0.5), (80, 0.8), (99.9, 0.8), (100, 1), (250, 1)]
)
def test_the_highest_step_that_is_reached_is_told(spent, step):
    steps = [alert.facts["step"] for alert in conditions(Situation(NOW, [budget(spent)]), RULES)]

    assert steps == ([] if step is None else [step])


def test_each_step_is_told_once_in_a_window_and_a_jump_is_told_once():
    step = AlertKind.BUDGET_STEP
    spends = (10, 55, 56, 85, 79, 85, 105)
    every = [Situation(NOW + number * HOUR * 2, [budget(spent)]) for number, spent in enumerate(spends)]

    assert told(every) == [[], [(step, 0.5)], [], [(step, 0.8)], [], [(step, 0.8)], [(step, 1.0)]]
    assert told([Situation(NOW, [budget(100)]), Situation(NOW + HOUR / 2, [budget(60)])]) == [[(step, 1.0)], []]


def test_the_next_window_and_a_raised_limit_are_events_of_their_own():
    step, following = AlertKind.BUDGET_STEP, (MONTH[1], datetime(2027, 1, 1, tzinfo=UTC))
    raised = budget(160, limit=200)
    situations = [
        Situation(NOW, [budget(100)]),
        Situation(NOW, [raised]),
        Situation(NOW + timedelta(days=20), [budget(55, begins=following[0], resets=following[1])]),
    ]

    assert told(situations) == [[(step, 1.0)], [(step, 0.8)], [(step, 0.5)]]


def test_a_date_is_told_once_the_pace_can_be_believed():
    crossing = datetime(2026, 11, 20, tzinfo=UTC)
    early = Situation(MONTH[0] + timedelta(days=1), [budget(30, crossed_at=crossing)])

    assert kinds(budgets=[budget(30, crossed_at=crossing)]) == [AlertKind.BUDGET_FORECAST]
    assert list(conditions(early, RULES)) == []
    assert kinds(budgets=[budget(5, crossed_at=crossing)]) == []
    assert kinds(budgets=[budget(30, crossed_at=crossing, resets=None)]) == [AlertKind.BUDGET_FORECAST]
    (alert,) = conditions(Situation(NOW, [budget(30, crossed_at=crossing)]), RULES)
    assert "2026-11-20" in alert.text
    assert "begins anew on 2026-12-01" in alert.text


def test_a_date_that_moves_is_not_told_again():
    days = [budget(30 + day, crossed_at=NOW + timedelta(days=5 + day)) for day in range(10)]
    texts = told([Situation(NOW + timedelta(days=day), [one]) for day, one in enumerate(days)])

    assert sum(len(one) for one in texts) == 1


def test_a_budget_of_nothing_is_used_up_and_no_division():
    assert kinds(budgets=[budget(0, limit=0)]) == [AlertKind.BUDGET_STEP]


def test_refusals_count_from_a_number_on():
    assert kinds(refusals=[RefusedLately("a", "", "ci", "budget_exceeded", 19)]) == []
    assert kinds(refusals=[RefusedLately("a", "", "ci", "budget_exceeded", 20)]) == [AlertKind.REFUSALS]
    never = AlertRules(refusals=0)
    assert list(conditions(Situation(NOW, refusals=[RefusedLately("a", "", "ci", "x", 99)]), never)) == []


def test_circuits_troubles_and_silence_of_workers():
    well = WorkerState("gateway", NOW, open_circuits=("openai",))
    ill = WorkerState("gateway-2", NOW, trouble="the journal cannot be written", open_circuits=("openai",))
    silent = WorkerState("gateway-3", NOW - timedelta(seconds=31), open_circuits=("gemini",))

    found = [(one.kind, one.subject) for one in conditions(Situation(NOW, workers=[well, ill, silent]), RULES)]

    assert found == [
        (AlertKind.CIRCUIT_OPEN, "openai"),
        (AlertKind.GATEWAY_TROUBLE, "gateway-2"),
        (AlertKind.GATEWAY_TROUBLE, "gateway-3"),
    ]


def test_a_ledger_that_is_behind_and_a_model_without_a_price():
    assert kinds(ledger_lag_s=59.0) == []
    assert kinds(ledger_lag_s=60.0, ledger_reason="held by process 5") == [AlertKind.LEDGER_BEHIND]
    assert kinds(unpriced=[("openai", "gpt-9")]) == [AlertKind.UNKNOWN_PRICE]


def test_what_comes_and_goes_is_told_again_after_a_time_at_the_earliest():
    def at(minutes, *circuits):
        moment = NOW + timedelta(minutes=minutes)
        return Situation(moment, workers=[WorkerState("gateway", moment, open_circuits=circuits)])

    flapping = [at(minutes, *(["openai"] if minutes % 2 == 0 else [])) for minutes in range(59)]
    assert sum(len(one) for one in told(flapping)) == 1
    assert [len(one) for one in told([at(0, "openai"), at(1), at(62, "openai"), at(63, "openai")])] == [1, 0, 1, 0]


def test_what_holds_for_long_is_told_once():
    lasting = [Situation(NOW + timedelta(hours=hours), [budget(55)]) for hours in range(0, 300, 7)]

    assert sum(len(one) for one in told(lasting)) == 1


@given(st.lists(st.tuples(st.integers(0, 5000), st.sampled_from("abc"), st.booleans()), max_size=60))
def test_what_is_remembered_is_bounded_by_what_holds_and_what_held_lately(steps):
    raised = {}
    now = NOW
    for seconds, subject, holds in steps:
        now += timedelta(seconds=seconds)
        alert = Alert(kind=AlertKind.CIRCUIT_OPEN, subject=subject, at=now, text="")
        alerts, raised = new_alerts([alert] if holds else [], raised, now, HOUR)
        assert all(one.holds or now - one.at < HOUR for one in raised.values())
        assert len(alerts) <= 1


def test_what_was_told_before_a_restart_stays_told():
    (alert,) = conditions(Situation(NOW, [budget(55)]), RULES)
    former = {alert.identity: Raised(NOW - timedelta(days=9), holds=True)}

    assert new_alerts([alert], former, NOW, HOUR)[0] == []


def test_a_day_out_of_the_ordinary_is_told_once_with_the_view_that_shows_it():
    day = UnusualDay(AlertKind.SPEND_ANOMALY, team("search & co"), date(2026, 11, 3), 90.5, 10.25)
    (alert,) = conditions(Situation(NOW, unusual=[day]), RULES)

    assert alert.text == "search & co spent $90.50 on 2026-11-03, where $10.25 were to be expected of that day"
    assert alert.view == "where?by=model&since=2026-11-03&where=team%3Dsearch+%26+co"
    assert sum(len(one) for one in told([Situation(NOW, unusual=[day])] * 3)) == 1


def test_cold_caches_and_unknown_fields_are_told():
    day = UnusualDay(AlertKind.CACHE_COLD, team(""), date(2026, 11, 3), 0.1, 0.55)
    found = list(conditions(Situation(NOW, unusual=[day], unknown_fields=[("openai", "usage.new_tokens")]), RULES))

    assert [one.kind for one in found] == [AlertKind.UNKNOWN_FIELD, AlertKind.CACHE_COLD]
    assert "usage.new_tokens" in found[0].text
    assert found[1].text.startswith("callers without a team read 10 % of its prompts from caches on 2026-11-03")
    assert Alert(kind=AlertKind.CIRCUIT_OPEN, subject="x", at=NOW, text="").view == ""


def test_a_loop_is_told_once_by_its_tool_with_its_task():
    loop = LoopState(team("search"), "c1", "ticket 7", "Bash", 14, NOW - HOUR, 3.2)
    grown = loop._replace(repeats=40, usd=None, task="")
    (alert,) = conditions(Situation(NOW, loops=[loop]), RULES)
    (nameless,) = conditions(Situation(NOW, loops=[grown]), RULES)

    assert alert.text == (
        "task ticket 7 of search goes in circles: since 2026-11-14 23:00 UTC the tool Bash gave 14 times what it had "
        "given twice before; the calls that brought it cost $3.20"
    )
    assert alert.view == "tasks?task=ticket+7"
    assert alert.facts == {"team": "search", "task": "ticket 7", "tool": "Bash", "repeats": 14, "usd": 3.2}
    assert nameless.view == "tasks?since=2026-11-14&where=team%3Dsearch"
    assert told([Situation(NOW, loops=[one]) for one in (loop, grown, grown)]) == [[(AlertKind.LOOP, None)], [], []]


def test_a_yield_that_fell_is_told_and_rests_for_a_week():
    owner = WatchedOwner((("app", "shop"), ("tag:kind", "")))
    fallen = YieldState(owner, "resolved", 4.5, 1.25, 60, 40, date(2026, 11, 8))
    (alert,) = conditions(Situation(NOW, fallen=[fallen]), RULES)
    (none,) = conditions(Situation(NOW, fallen=[fallen._replace(usd_each=None)]), RULES)
    days = [Situation(NOW + timedelta(days=day), fallen=[fallen] if day % 2 == 0 else []) for day in range(9)]

    assert alert.text == (
        "the yield of app shop, no kind fell: of outcome resolved one costs $4.50 since 2026-11-08, where it was $1.25 "
        "in the four weeks before (60 tasks, 40 failed)"
    )
    assert alert.view == "tasks?since=2026-11-08&where=app%3Dshop&where=tag%3Akind%3D"
    assert "no task has passed since" in none.text
    assert "usd_each" not in none.facts
    assert [len(one) for one in told(days)] == [1, 0, 0, 0, 0, 0, 0, 0, 1]
