from datetime import timedelta

import pytest

from ledger.samples import START, entry
from modicum.calls import Outcome
from modicum.governance.budget_windows import parse_window
from modicum.governance.outcome_budgets import OutcomeBudget
from modicum.insights.budgets.outcome_standing import outcome_budget_rows
from modicum.ledger.opening import open_store
from modicum.ledger.records import OUTCOMES

NOW = START + timedelta(days=1)


@pytest.fixture
def store(tmp_path):
    """Twelve tasks of a dollar each for search, three of them failed; one task for chat without an outcome; one of last
    year."""
    opened = open_store(str(tmp_path / "ledger.duckdb"))
    opened.append(
        [entry(f"c{n}", "1", task=f"t{n}", tags={"feature": "search"}) for n in range(12)]
        + [entry("chat", "5", task="chat", tags={"feature": "chat"}), entry("loose", "7")]
        + [entry("old", "99", task="old", started=START - timedelta(days=300))]
    )
    opened.append_records(
        OUTCOMES,
        [
            Outcome(outcome_id=f"o{n}", task=task, name="resolved", value=float(n > 2), time=START)
            for n, task in enumerate([*(f"t{n}" for n in range(12)), "old"])
        ],
    )
    yield opened
    opened.close()


def rows(store, by="", limit=2.0, per="30d"):
    window = parse_window(per, "UTC")
    return outcome_budget_rows(store, [OutcomeBudget(outcome="resolved", limit_usd=limit, window=window, by=by)], NOW)


def test_all_tasks_of_the_window_together(store):
    (row,) = rows(store)

    assert (row.name, row.spend.tasks, row.spend.outcomes, row.spend.cost_usd) == ("", 12, 9.0, 12.0)
    assert row.spend.usd_each == pytest.approx(12 / 9)
    assert (row.spend.tasks_without_outcome, row.spend.cost_without_outcome_usd) == (1, 5.0)
    assert row.verdict.ruling == "not_shown"
    assert [one.spend.tasks for one in rows(store, per="ever")] == [13]


def test_every_name_has_the_limit_to_itself(store):
    verdicts = {row.name: row.verdict for row in rows(store, "tag:feature", limit=0.5)}

    assert {name: verdict.ruling for name, verdict in verdicts.items()} == {"search": "above", "chat": "cannot_say"}
    assert "1 task has no outcome yet, at $5.00" in verdicts["chat"].why


def test_an_empty_ledger_says_that_nothing_can_be_said(tmp_path):
    opened = open_store(str(tmp_path / "empty.duckdb"))
    (row,) = rows(opened)
    opened.close()

    assert row.verdict.ruling == "cannot_say"
