"""`modicum compare`, from files and from the ledger to what is printed."""

import csv
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from xml.etree import ElementTree as ET

import pytest

from modicum.calls import Basis, Call, Cost, Entry, Outcome, Usage
from modicum.ledger.opening import open_store
from modicum.ledger.records import OUTCOMES

NOON = datetime(2026, 2, 3, 12, tzinfo=UTC)


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "runs.csv"
    rows = ["saver,task,success,cost_usd,prompt_tokens,completion_tokens"]
    for task in range(60):
        cost = 1 + task % 5
        rows.append(f"none,{task},1,{cost},{cost * 900},{cost * 100}")
        rows.append(f"magic,{task},1,{cost * (0.5, 0.6, 0.7)[task % 3]},{cost * 500},{cost * (40, 50, 60)[task % 3]}")
    path.write_text("\n".join(rows) + "\n")
    return path


def test_a_table_says_what_a_saver_saves(table, modicum):
    ran = modicum("compare", table, "--baseline", "none")

    assert ran.status == 0
    assert "magic reaches the same outcomes as none at 40." in ran.out
    assert "fewer tokens" in ran.out
    assert "baseline: none; geometric mean over common tasks" in ran.out


def test_json_has_the_rules_the_figures_and_the_sentences(table, modicum):
    document = modicum("compare", table, "--baseline", "none", "--margin", "8", "--json").json

    (pair,) = document["pairs"]
    assert document["rules"]["margin"] == 0.08
    assert pair["ratios"]["cost_usd"]["value"] == pytest.approx((0.5 * 0.6 * 0.7) ** (1 / 3))
    assert pair["success"]["is_not_worse"]
    assert pair["sentences"]
    assert {arm["name"]: arm["per_success"]["cost_usd"]["value"] for arm in document["arms"]}["none"] == 3.0
    assert document["problems"] == []


def test_arms_are_named_and_the_first_is_the_baseline(table, modicum):
    assert modicum("compare", table, "magic", "none", "--json").json["baseline"] == "magic"
    ran = modicum("compare", table, "none", "magik")
    assert (ran.status, ran.err) == (2, "modicum: there is no arm 'magik'; accepted are magic, none\n")


def test_a_picture_is_drawn(table, modicum, tmp_path):
    ran = modicum("compare", table, "--svg", tmp_path / "line.svg")

    assert f"picture: {tmp_path / 'line.svg'}" in ran.out
    assert ET.parse(tmp_path / "line.svg").getroot().tag.endswith("svg")  # noqa: S314 - our own


def test_without_what_to_draw_it_says_so(tmp_path, modicum):
    (tmp_path / "a.csv").write_text("task,success\n1,1\n")

    ran = modicum("compare", tmp_path / "a.csv", "--svg", tmp_path / "line.svg")

    assert ran.status == 2
    assert "there is nothing to draw" in ran.err


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("nothing.csv",), "there is no file nothing.csv"),
        (("--column", "x=y"), "--column x=y: write ROLE=NAME"),
        (("--margin", "nan"), "is not a finite number"),
        (("--by", "nobody"), "there is no column 'nobody' for the arm"),
    ],
)
def test_mistakes_are_named(words, reason, table, modicum):
    ran = modicum("compare", table, *words)

    assert ran.status == 2
    assert reason in ran.err


def test_a_folder_is_its_files(table, modicum, tmp_path):
    folder = tmp_path / "results"
    folder.mkdir()
    (folder / "a.csv").write_text("task,success\n1,1\n2,0\n")
    (folder / "b.csv").write_text("task,success\n1,0\n2,0\n")
    (folder / "notes.txt").write_text("x")

    assert [arm["name"] for arm in modicum("compare", folder, "--json").json["arms"]] == ["a", "b"]
    empty = tmp_path / "empty"
    empty.mkdir()
    assert "holds no results" in modicum("compare", empty).err


def test_problems_come_last_and_strict_makes_them_count(table, modicum):
    table.write_text(table.read_text() + "none,60,maybe,1,1,1\n")

    ran = modicum("compare", table, "--strict")

    assert ran.status == 1
    assert "1 problem in the results" in ran.err
    assert "runs.csv:122: not a result: success is no number" in ran.err


@pytest.fixture
def ledger(tmp_path):
    """Ten cases, each done by two models, in tasks of their own."""
    place = str(tmp_path / "ledger.duckdb")
    store = open_store(place)
    entries, outcomes = [], []
    for case in range(10):
        for model, usd in (("big", 2 + case), ("small", 1 + case % 2)):
            task = f"{model}-{case}"
            call = Call(
                call_id=task,
                source="test",
                provider="p",
                model=model,
                started=NOON,
                finished=NOON + timedelta(seconds=5),
                usage=Usage(1000 * usd, output_visible=100),
                task=task,
                tags={"case": str(case)},
            )
            entries.append(Entry(call, Cost(Decimal(usd), Basis.EXACT)))
            value = float(model == "big" or case < 5)
            outcomes.append(Outcome(outcome_id=task, task=task, name="resolved", value=value, time=NOON))
    store.append(entries)
    store.append_records(OUTCOMES, outcomes)
    store.close()
    return place


def test_the_ledger_compares_models_by_case(ledger, modicum):
    document = modicum("compare", "big", "small", "--pair", "tag:case", "--ledger", ledger, "--json").json

    assert document["baseline"] == "big"
    (pair,) = document["pairs"]
    assert (pair["tasks"], pair["success"]["value"]) == (10, -0.5)
    arms = {arm["name"]: arm for arm in document["arms"]}
    assert arms["small"]["per_success"]["cost_usd"]["value"] == 3.0
    assert arms["small"]["per_run"]["seconds"] == 5.0
    assert arms["big"]["per_run"]["completion_tokens"] == 100
    assert pair["ratios"]["total_tokens"]["value"] < 1


def test_tasks_of_the_ledger_that_nothing_joins_are_not_compared(ledger, modicum):
    ran = modicum("compare", "--ledger", ledger)

    assert ran.status == 0
    assert "have no task in common" in ran.out


def test_a_ledger_without_any_outcome_says_how_to_add_some(modicum):
    ran = modicum("compare")

    assert (ran.status, "holds no outcome yet to grade by: 'modicum outcome --help'" in ran.err) == (2, True)


def test_the_ledger_wants_an_outcome_and_tasks(ledger, modicum):
    assert "holds no outcome 'x'; accepted are resolved" in modicum("compare", "--outcome", "x", "--ledger", ledger).err
    assert "there is no compare pair by 'x'" in modicum("compare", "--pair", "x", "--ledger", ledger).err
    ran = modicum("compare", "--since", "2030-01-01", "--ledger", ledger)
    assert "holds no tasks in that time" in ran.err


def test_csv_has_a_row_for_each_arm_and_its_pair_beside_it(table, modicum):
    found = modicum("compare", table, "--by", "saver", "--json").json
    baseline, other = csv.DictReader(modicum("compare", table, "--by", "saver", "--csv").out.splitlines())

    assert [baseline["name"], other["name"]] == [arm["name"] for arm in found["arms"]]
    assert float(other["success.value"]) == found["arms"][1]["success"]["value"]
    assert (baseline["pair.arm"], other["pair.arm"]) == ("", found["pairs"][0]["arm"])


def test_conditions_choose_tasks_of_the_ledger_and_not_rows_of_files(ledger, table, modicum):
    chosen = modicum("compare", "--pair", "tag:case", "--ledger", ledger, "--where", "tag:case=[0-4]", "--json").json

    assert {arm["name"]: arm["tasks"] for arm in chosen["arms"]} == {"big": 5, "small": 5}
    assert "choose calls of the ledger" in modicum("compare", table, "--model", "big").err
