import csv
import io
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest


def billed(text):
    return sum(Decimal(row["BilledCost"]) for row in csv.DictReader(io.StringIO(text)))


@pytest.fixture
def filled(modicum, transcripts):
    modicum("import", transcripts, "--no-anatomy")


@pytest.mark.usefixtures("filled")
def test_an_export_has_the_costs_of_the_bill(modicum):
    printed = modicum("export", "focus", "--tag", "project", "--tag", "tag:client")
    written = modicum("export", "focus", "--out", "rows.parquet", "--version", "1.3", "--json")
    bill = Decimal(str(modicum("bill", "--json").json["cost_usd"]))

    assert billed(printed.out) == bill
    assert "cost" in printed.err
    assert "x_CostBasis is 'unknown'" in printed.err
    assert Decimal(str(written.json["billed_usd"])) == bill
    assert written.json["rows_of_unknown_cost"] > 0
    assert duckdb.read_parquet("rows.parquet").aggregate("sum(BilledCost)").fetchall() == [(bill,)]


@pytest.mark.usefixtures("filled")
def test_a_correction_holds_only_what_has_changed(modicum):
    whole = modicum("export", "focus", "--out", "before.csv")
    nothing = modicum("export", "focus", "--corrects", "before.csv")
    Path("prices.toml").write_text("[[subscription]]\nname = 'Max'\nsource = 'claude-code'\nusd_per_month = 200\n")
    changed = modicum("export", "focus", "--corrects", "before.csv", "--prices", "prices.toml")

    assert (whole.status, nothing.status) == (0, 0)
    assert nothing.out.count("\n") == 1
    before = billed(Path("before.csv").read_text())
    months = sum(row["ChargeCategory"] == "Purchase" for row in csv.DictReader(io.StringIO(changed.out)))
    assert months
    assert before + billed(changed.out) == 200 * months


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("--json",), "--json prints what was written into a file: give --out FILE"),
        (("--out", "x.xlsx"), "end it with .csv or .parquet"),
        (("--out", "no/x.csv"), "name another file"),
        (("--tag", "user"), "'user'"),
        (("--tag", "app", "--tag", "tag:app"), "two tags would be called 'app'"),
        (("--since", "2031-01-01"), "holds no calls in that time"),
    ],
)
def test_what_cannot_be_written_is_one_line(words, why, modicum):
    ran = modicum("export", "focus", *words)

    assert ran.status == 2
    assert why in ran.err
    assert ran.err.count("\n") == 1
