import csv
import io
from decimal import Decimal
from pathlib import Path

import pytest

RULES = """
[showback]
by = "project"
[[showback.shared]]
name = "Hosts"
usd_per_month = 12.50
split = "even"
"""


@pytest.fixture
def month(modicum, transcripts):
    """The last month of a ledger that is filled."""
    modicum("import", transcripts, "--no-anatomy")
    return str(modicum("bill", "--by", "month", "--json").json["rows"][-1]["name"])[:7]


def test_the_statement_of_a_month_is_its_bill_and_what_is_shared(month, modicum):
    Path("modicum.toml").write_text(RULES)
    document = modicum("statement", "--month", month, "--json").json
    printed = modicum("statement", "--month", month, "--currency", "EUR=0.5").out
    rows = list(csv.DictReader(io.StringIO(modicum("statement", "--month", month, "--csv").out)))
    bill = Decimal(str(modicum("bill", "--since", f"{month}-01", "--json").json["cost_usd"]))

    assert Decimal(str(document["total"]["list_usd"])) == bill
    assert Decimal(str(document["total"]["total_usd"])) == bill + Decimal("12.5")
    assert sum(Decimal(row["total_usd"]) for row in rows) == bill + Decimal("12.5")
    assert not [one for one in ("Hosts: $12.5", "EUR", "calls that nobody tagged are a row") if one not in printed]


def test_the_page_is_written_or_printed(month, modicum):
    written = modicum("statement", "--month", month, "--by", "source", "--html", "s.html")
    printed = modicum("statement", "--month", month, "--by", "source", "--html", "-")

    assert written.out == ""
    assert printed.out == Path("s.html").read_text()
    assert f"<h1>Statement of {month} by source</h1>" in printed.out


def test_a_month_without_calls_names_those_that_have_some(month, modicum):
    missing = modicum("statement", "--month", "2031-05")
    wrong = [modicum("statement", "--month", "may"), modicum("statement", "--by", "day")]

    assert {missing.status, *(one.status for one in wrong)} == {2}
    assert f"as --month {month}" in missing.err
    assert "write 2026-11" in wrong[0].err


def test_an_empty_ledger_says_how_to_fill_it(modicum):
    assert "fill it with 'modicum import PATH...'" in modicum("statement").err
