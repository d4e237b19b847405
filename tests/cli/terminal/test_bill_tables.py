from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import msgspec
import pytest

from ledger.samples import entry
from modicum.cli.terminal.bill_tables import CurrencyAmounts, notes, print_bill, print_csv
from modicum.insights.bill import build, make_cells

CALLS = [entry("c1", "2", model="big"), entry("c2", "1", model="small", started=datetime(2026, 3, 1, tzinfo=UTC))]
BILL = build(make_cells(CALLS, ["model", "month"], ["", ""], ZoneInfo("UTC")), ["model", "month"])
EUROS = CurrencyAmounts("EUR", [(date.min, Decimal("0.9"))], [Decimal("1.80"), None], None)


def test_a_column_for_each_dimension_and_one_for_the_currency(capsys):
    print_bill(BILL, "model,month", from_logs=True, amounts=EUROS)

    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == [
        "model",
        "month",
        "calls",
        "prompt",
        "cached",
        "completion",
        "cost",
        "share",
        "basis",
        "EUR",
    ]
    assert lines[1].split()[0::9] == ["big", "1.80"] or lines[1].endswith("1.80")
    assert lines[2].endswith("no rate")
    assert lines[3].startswith("total")


@pytest.mark.parametrize(("calls", "words"), [(1, "1 call came without"), (2, "what they cost is not known, and is")])
def test_calls_without_a_count_agree_with_their_number(calls, words):
    total = msgspec.structs.replace(BILL.total, calls_without_usage=calls)

    assert any(words in note for note in notes(total, from_logs=True))


def test_csv_has_them_too(capsys):
    print_csv(BILL, "model,month", EUROS)

    head, first, second = capsys.readouterr().out.splitlines()
    assert head.startswith("model,month,calls,")
    assert head.endswith(",cost_eur")
    assert first.startswith("big,2026-02-01,1,")
    assert (first.endswith(",1.80"), second.endswith(",")) == (True, True)
