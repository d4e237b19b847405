"""`modicum yield`, from a ledger to what is printed."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from modicum.calls import Basis, Call, Cost, Entry, Outcome, Usage
from modicum.ledger.booking import book
from modicum.ledger.opening import open_store
from modicum.ledger.records import OUTCOMES
from modicum.metering.prices import PriceBook

NOON = datetime(2026, 2, 3, 12, tzinfo=UTC)


def entry(call_id, task, usd, model="m"):
    call = Call(
        call_id=call_id,
        source="test",
        provider="p",
        model=model,
        started=NOON,
        usage=Usage(1_000_000),
        task=task,
    )
    return Entry(call, Cost(Decimal(usd), Basis.LOWER_BOUND, effective_tokens=500_000.0))


@pytest.fixture
def ledger(tmp_path):
    place = str(tmp_path / "ledger.duckdb")
    opened = open_store(place)
    opened.append(
        [
            entry("c1", "T1", "2"),
            entry("c2", "T2", "1"),
            entry("c3", "T3", "3", "n"),
            entry("c4", "T4", "9", "n"),
            entry("c5", "", "5", "n"),
        ]
    )
    opened.append_records(
        OUTCOMES,
        [
            Outcome(outcome_id=task, task=task, name="resolved", value=value, time=NOON)
            for task, value in (("T1", 1), ("T2", 0), ("T3", 1), ("T9", 1))
        ],
    )
    opened.close()
    return place


@pytest.fixture
def run(modicum, ledger):
    def run(*words):
        ran = modicum("yield", *words, "--ledger", ledger)
        return ran.status, ran.out, ran.err

    return run


def test_the_table_shows_yield_cost_and_what_stands_apart(run):
    code, out, _ = run("--outcome", "resolved")

    assert code == 0
    (row,) = [line.split() for line in out.splitlines() if line.startswith("m ")]
    assert row[:5] == ["m", "2", "1", "1", "1"]
    assert "$3.00" in row
    assert "tasks without this outcome: 1, at $9.00; if they tried and failed, each resolved costs $7.50" in out
    assert "calls outside any task: 1, at $5.00" in out
    assert "of which the ledger holds no call: 1, with 1 resolved" in out
    assert "ratio of sums" in out
    assert "lower bound" in out


def test_calls_of_no_owner_are_named_so(run):
    _, out, _ = run("--outcome", "resolved", "--by", "owner", "--worth", "5")

    assert "///" not in out
    assert len([line for line in out.splitlines() if line.startswith("(no owner) ")]) == 2  # its yield and its margin


def test_json_is_one_object_with_totals_rules_and_rows(run):
    told = json.loads(run("--outcome", "resolved", "--by", "source", "--json")[1])

    assert (told["outcome"], told["by"], told["tasks"], told["outcomes"]) == ("resolved", "source", 3, 2)
    assert told["cost_usd"] == 6
    assert told["basis"] == "lower_bound"
    assert told["cost_per_outcome_usd"]["value"] == 3
    assert told["cost_per_outcome_usd"]["low"] < 3 < told["cost_per_outcome_usd"]["high"]
    assert told["outcomes_per_million_effective_tokens"]["value"] == pytest.approx(2 / 1.5)
    assert told["outcomes_per_million_tokens"]["value"] == pytest.approx(2 / 3)
    assert [row["name"] for row in told["rows"]] == ["test"]
    assert told["rules"]


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("--outcome", "none"), "holds no outcome 'none'; accepted are resolved"),
        (("--outcome", "resolved", "--by", "colour"), "no yield by 'colour'"),
        (("--outcome", "resolved", "--by", "tag"), "no yield by 'tag'"),
        (("--outcome", "resolved", "--until", "2020-01-01"), "holds no tasks in that time"),
    ],
)
def test_a_question_that_cannot_be_answered_says_what_can(run, words, reason):
    code, _, err = run(*words)

    assert (code, reason in err) == (2, True)


def test_it_can_be_cut_by_a_tag(run):
    assert json.loads(run("--outcome", "resolved", "--by", "tag:env", "--json")[1])["rows"][0]["name"] == ""


DOCS = Path(__file__).parents[2] / "docs" / "yield.md"
MODELS = {"Opus": "claude-opus-4-5", "Haiku": "claude-haiku-4-5"}


def worked_example():
    """The table of the docs, a row a call: task, model, three counts, cost, effective, raw, resolved."""
    rows = [line for line in DOCS.read_text().splitlines() if line.startswith("| T")]
    return [[cell.strip().replace(",", "") for cell in row.strip("|").split("|")] for row in rows]


def test_the_worked_example_of_the_docs_is_what_the_command_prints(tmp_path, modicum):
    prices = PriceBook()
    opened = open_store(str(tmp_path / "docs.duckdb"))
    for number, row in enumerate(worked_example()):
        uncached, cached, output = (int(cell or 0) for cell in row[2:5])
        made = book(
            Call(
                call_id=f"c{number}",
                source="test",
                provider="anthropic",
                model=MODELS[row[1]],
                started=NOON,
                usage=Usage(uncached, cached, output_visible=output),
                task=row[0],
            ),
            prices,
        )
        assert (f"${made.cost.usd:.2f}", f"{made.cost.effective_tokens:.0f}") == (row[5], row[6])
        assert str(made.call.usage.total_tokens) == row[7]
        opened.append([made])
        if row[8].isdigit():
            told = Outcome(outcome_id=row[0], task=row[0], name="resolved", value=float(row[8]), time=NOON)
            opened.append_records(OUTCOMES, [told])
    opened.close()
    out = modicum("yield", "--outcome", "resolved", "--ledger", tmp_path / "docs.duckdb").out
    printed = [line.rstrip() for line in out.splitlines()]
    shown = DOCS.read_text().split("$ modicum yield --outcome resolved\n")[1].split("\n```")[0]

    assert printed == shown.splitlines()


def test_an_outcome_that_is_worth_something_has_a_margin(run):
    found = json.loads(run("--outcome", "resolved", "--worth", "10", "--json")[1])
    total = found["margins"][-1]

    assert total["name"] == "total"
    assert total["worth_usd"] == pytest.approx(10 * found["outcomes"])
    assert total["margin_usd"] == pytest.approx(total["worth_usd"] - found["cost_usd"])
    assert sum(one["margin_usd"] for one in found["margins"][:-1]) == pytest.approx(total["margin_usd"])
    assert "margin" in run("--outcome", "resolved", "--worth", "10")[1]
    assert "margins" not in run("--outcome", "resolved", "--json")[1]


def test_the_worth_of_the_settings_stands_where_none_is_typed(run, tmp_path, monkeypatch):
    (tmp_path / "modicum.toml").write_text('[[outcome]]\nname = "resolved"\nworth_usd = 10\n')
    monkeypatch.setenv("MODICUM_CONFIG", str(tmp_path / "modicum.toml"))

    def worth(*words):
        found = json.loads(run("--outcome", "resolved", *words, "--json")[1])
        return found["margins"][-1]["worth_usd"] / found["outcomes"]

    assert worth() == pytest.approx(10)
    assert worth("--worth", "3") == pytest.approx(3)
