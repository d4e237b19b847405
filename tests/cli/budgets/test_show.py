"""`modicum budget show`, over a ledger and a gateway's files."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from ledger.samples import entry
from modicum.calls import Outcome, Owner
from modicum.gateway.meter import begun_record
from modicum.ledger.calls_in_flight import CallsInFlight
from modicum.ledger.opening import open_store
from modicum.ledger.records import OUTCOMES
from modicum.settings import state_folder

BUDGETS = """
[[budget]]
name = "team-month"
per = "month"
limit_usd = 10
team = "platform"

[[budget]]
name = "each-key"
per = "ever"
limit_calls = 3
key = "*"
"""


@pytest.fixture
def ledger(tmp_path, monkeypatch):
    (tmp_path / "work" / "modicum.toml").write_text(BUDGETS)
    path = tmp_path / "ledger.duckdb"
    store = open_store(str(path))
    now = datetime.now(UTC)
    platform = {"source": "gateway", "started": now - timedelta(seconds=1)}
    store.append(
        [
            entry("a", "2.5", owner=Owner("platform", key="ci"), **platform),
            entry("b", "1.5", owner=Owner("platform", key="bot"), **platform),
            entry("c", None, owner=Owner("platform", key="bot"), tags={"budget.reserved": "500000000/7"}, **platform),
        ]
    )
    store.close()
    slots = CallsInFlight(made(state_folder() / "journal") / "gateway.underway", 4)
    tags = {"budget.reserved": "1000000000/7"}
    slots.begin(begun_record(entry("d", owner=Owner("platform", key="ci"), tags=tags, **platform).call))
    slots.begin(b"half a rec")
    slots.close()
    return path


def made(folder):
    folder.mkdir(parents=True)
    return folder


def test_spent_reserved_and_left(modicum, ledger):
    month, *each = modicum("budget", "show", "--json", "--ledger", ledger).json["budgets"]

    assert (month["name"], month["spent"], month["reserved"], month["left"]) == ("team-month", 4.5, 1.0, 4.5)
    assert month["limit_reached"] is None or month["limit_reached"] < month["begins_anew"]
    assert {one["of"][0]: (one["spent"], one["reserved"]) for one in each} == {"bot": (2, 0), "ci": (1, 1)}


def test_a_table_for_people(modicum, ledger):
    ran = modicum("budget", "show", "team-month", "--ledger", ledger)

    assert ran.status == 0
    assert all(text in ran.out for text in ("team-month", "month", "$10.00", "$4.50", "$1.00"))
    assert "each-key" not in ran.out


def test_what_was_carried_from_the_month_before_is_part_of_the_limit(modicum, ledger, tmp_path):
    (tmp_path / "work" / "modicum.toml").write_text(
        BUDGETS.replace("limit_usd = 10", "limit_usd = 10\nrollover = 0.25")
    )

    month = modicum("budget", "show", "team-month", "--json", "--ledger", ledger).json["budgets"][0]
    shown = modicum("budget", "show", "team-month", "--ledger", ledger).out

    assert (month["limit"], month["carried"], month["left"]) == (12.5, 2.5, 7.0)
    assert "$12.50 ($2.50" in shown
    assert "carried)" in shown


def test_without_budgets_one_is_told_what_to_do(modicum):
    ran = modicum("budget", "show")

    assert (ran.status, "add [[budget]] to modicum.toml" in ran.err) == (2, True)


def test_a_name_that_is_none(modicum, ledger):
    assert "there is no budget 'x'; accepted are team-month, each-key" in modicum("budget", "show", "x").err


def test_workers_beyond_one_are_refused_with_what_to_do(modicum, tmp_path):
    (tmp_path / "work" / "modicum.toml").write_text(BUDGETS)
    ran = modicum("up", "--workers", "2")

    assert ran.status == 2
    assert "2 workers would each count for themselves" in ran.err
    assert json.dumps("set gateway.workers to 1").strip('"') in ran.err


@pytest.fixture
def outcome_ledger(ledger, tmp_path):
    """Of team platform twelve resolved tasks of three dollars each."""
    text = '[[outcome]]\nname = "resolved"\nlimit_usd = 2\nby = "team"\n'
    (tmp_path / "work" / "modicum.toml").write_text(BUDGETS + text)
    store = open_store(str(ledger))
    now = datetime.now(UTC)
    names = [f"t{number}" for number in range(12)]
    store.append([entry(name, "3", task=name, started=now, owner=Owner("shop")) for name in names])
    store.append_records(
        OUTCOMES,
        [
            Outcome(outcome_id=name, task=name, name="resolved", value=float(n != 3), time=now)
            for n, name in enumerate(names)
        ],
    )
    store.close()
    return ledger


def test_what_an_outcome_costs_stands_beside_the_budgets(modicum, outcome_ledger):
    document = modicum("budget", "show", "--json", "--ledger", outcome_ledger).json
    (row,) = document["outcome_budgets"]

    assert document["budgets"][0]["name"] == "team-month"
    assert (row["outcome"], row["by"], row["of"], row["per"], row["standing"]) == (
        "resolved",
        "team",
        "shop",
        "30d",
        "above",
    )
    assert row["usd_each"] == pytest.approx(36 / 11)
    shown = modicum("budget", "show", "resolved", "--ledger", outcome_ledger).out
    assert "resolved of shop: the whole interval is above the limit" in shown
    assert "team-month" not in shown


def test_strict_ends_with_a_status_for_whoever_watches(modicum, outcome_ledger, tmp_path):
    assert modicum("budget", "show", "--strict", "--ledger", outcome_ledger).status == 1
    assert modicum("budget", "show", "team-month", "--strict", "--ledger", outcome_ledger).status == 0
