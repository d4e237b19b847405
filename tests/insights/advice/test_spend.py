from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from modicum.calls import Basis
from modicum.insights.advice.spend import sum_spend

SPAN = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)


def test_it_is_the_bill_of_the_same_calls(modicum, transcripts):
    from modicum.ledger.opening import open_store
    from modicum.settings import ledger_place, read_settings

    modicum("import", transcripts)
    bill = modicum("bill", "--by", "project", "--json").json
    store = open_store(ledger_place(read_settings()))
    try:
        found = sum_spend(store, SPAN, ZoneInfo("UTC"))
    finally:
        store.close()

    assert float(found.cost_usd) == bill["cost_usd"]
    assert found.basis is Basis(bill["basis"])
    assert [(row.name, row.calls) for row in found.projects] == [(row["name"], row["calls"]) for row in bill["rows"]]
    assert sum((row.cost_usd or Decimal(0) for row in found.models), Decimal(0)) == found.cost_usd
