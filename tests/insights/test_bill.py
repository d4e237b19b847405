from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from modicum.calls import Basis, Call, Cost, Entry, Owner, Usage
from modicum.insights.bill import bill_document, build, make_cells
from modicum.insights.dimensions import CALLS
from modicum.ledger.opening import open_store

UTC_ZONE = ZoneInfo("UTC")


def entry(number=0, usd="1", basis=Basis.EXACT, **fields):
    told = {
        "call_id": f"c{number}",
        "source": "test",
        "provider": "p",
        "model": "m",
        "started": datetime(2026, 2, 3, tzinfo=UTC),
        "usage": Usage(1, 2, 3, 4, 5, 6),
    }
    return Entry(Call(**(told | fields)), Cost(None if usd is None else Decimal(usd), basis))


def bill_of(entries, by="model"):
    return build(make_cells(entries, by, "", UTC_ZONE), by)


def test_figures_of_different_basis_are_told_apart():
    bill = bill_of([entry(1, "1"), entry(2, "2", Basis.ESTIMATED), entry(3, None, Basis.UNKNOWN)])

    assert bill.total.cost_usd == 3
    assert bill.total.basis is Basis.ESTIMATED
    assert bill.total.cost_usd_by_basis == {Basis.EXACT: 1, Basis.ESTIMATED: 2}
    assert bill.total.calls_unpriced == 1
    assert bill.models_unpriced == ["m"]


def test_a_missing_usage_is_not_called_a_missing_price():
    silent = {"usage_basis": Basis.UNKNOWN, "output_basis": Basis.UNKNOWN}
    bill = bill_of([entry(1), entry(2, None, Basis.UNKNOWN, **silent), entry(3, None, Basis.UNKNOWN, model="mystery")])

    assert (bill.total.calls_unpriced, bill.total.calls_without_usage) == (1, 1)
    assert bill.models_unpriced == ["mystery"]
    assert {row.name: row.calls_without_usage for row in bill.rows} == {"m": 1, "mystery": 0}


def test_one_project_in_several_spellings_is_one_row():
    bill = bill_of([entry(1, project="C:\\Shop"), entry(2, project="c:\\shop\\"), entry(3, project="c")], "project")

    assert {row.name: row.calls for row in bill.rows} == {"C:\\Shop": 2, "c": 1}


def test_usage_reports_stand_beside_the_logs_and_are_the_bill_without_them():
    logged, reported = entry(1, "1"), entry(2, "5", source="openai-usage", calls_count=9)
    both, alone = bill_of([logged, reported]), bill_of([reported])

    assert (both.total.cost_usd, both.usage_reports.cost_usd, both.usage_reports.calls) == (1, 5, 9)
    assert (alone.total.cost_usd, alone.usage_reports) == (5, None)


def test_models_without_a_price_stand_first():
    bill = bill_of([entry(1, "9", model="dear"), entry(2, None, Basis.UNKNOWN, model="mystery")])

    assert [row.name for row in bill.rows] == ["mystery", "dear"]


def test_latency_is_a_mean_over_the_calls_that_have_it():
    start = datetime(2026, 2, 3, tzinfo=UTC)
    timed = entry(1, first_token=start + timedelta(seconds=2), finished=start + timedelta(seconds=3), started=start)
    latency = bill_of([timed, entry(2)]).total.latency

    assert (latency.calls, latency.first_token_seconds, latency.output_tokens_per_second) == (1, 2.0, 11.0)


calls = st.builds(
    entry,
    st.integers(0, 50),
    st.sampled_from([None, "0.5", "1.25"]),
    st.sampled_from([Basis.EXACT, Basis.ESTIMATED]),
    model=st.sampled_from(["a", "b", ""]),
    started=st.datetimes(datetime(2026, 1, 1), datetime(2026, 3, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - zone given beside
    agent=st.sampled_from(["", "x"]),
    source=st.sampled_from(["test", "openai-usage"]),
    owner=st.builds(Owner, st.sampled_from(["", "t"])),
    output_tokens_estimated=st.sampled_from([None, 7]),
    calls_count=st.integers(1, 3),
)


@settings(max_examples=settings.default.max_examples // 4)  # each opens a database
@given(st.lists(calls, max_size=12, unique_by=lambda e: e.call.call_id), st.sampled_from([*CALLS, "bucket"]))
def test_the_ledger_and_the_fold_give_the_same_bill(entries, by):
    store = open_store(":memory:")
    store.append(entries)
    span = {"since": datetime(1990, 1, 1, tzinfo=UTC), "until": datetime(2200, 1, 1, tzinfo=UTC)}
    rows = store.ask("bill", by=by, tag="", zone="UTC", **span)
    store.close()

    assert build(rows, by) == bill_of(entries, by)


@settings(max_examples=settings.default.max_examples // 10)
@given(
    st.lists(calls, max_size=12, unique_by=lambda e: e.call.call_id),
    st.lists(st.sampled_from(["model", "team", "month", "project", "agent"]), min_size=2, max_size=3, unique=True),
)
def test_several_dimensions_are_the_same_from_ledger_and_fold_and_sum_to_the_whole(entries, dimensions):
    tags = [""] * len(dimensions)
    folded = build(make_cells(entries, dimensions, tags, ZoneInfo("UTC")), dimensions)
    store = open_store(":memory:")
    store.append(entries)
    span = {"since": datetime(1990, 1, 1, tzinfo=UTC), "until": datetime(2200, 1, 1, tzinfo=UTC)}
    rows = store.ask("bill", by=dimensions, tag=tags, zone="UTC", **span)
    store.close()

    assert build(rows, dimensions) == folded
    assert all(len(row.names) == len(dimensions) for row in folded.rows)
    assert sum(row.calls for row in folded.rows) == folded.total.calls
    assert sum(row.cost_usd or 0 for row in folded.rows) == (folded.total.cost_usd or 0)


def test_rows_of_several_dimensions_stand_by_the_first_and_within_it_by_the_next():
    entries = [
        entry(1, "1", owner=Owner("small"), started=datetime(2026, 2, 1, tzinfo=UTC)),
        entry(2, "5", owner=Owner("big"), started=datetime(2026, 2, 1, tzinfo=UTC)),
        entry(3, "9", owner=Owner("big"), started=datetime(2026, 1, 1, tzinfo=UTC)),
    ]

    bill = build(make_cells(entries, ["team", "month"], ["", ""], ZoneInfo("UTC")), ["team", "month"])

    assert [row.names for row in bill.rows] == [("big", "2026-01-01"), ("big", "2026-02-01"), ("small", "2026-02-01")]
    rows = bill_document(bill, "team,month", "UTC", None, None, [])["rows"]
    assert rows[0]["names"] == {"team": "big", "month": "2026-01-01"}
    assert rows[0]["name"] == "big / 2026-01-01"


def test_a_server_of_ones_own_is_called_by_its_address(store):
    entries = [
        entry(1, provider="", tags={"server": "gpu1:8000"}),
        entry(2, provider="", tags={}),
        entry(3, provider="openai", tags={"server": "gpu2:8000"}),
    ]
    assert {row.name for row in bill_of(entries, "provider").rows} == {"gpu1:8000", "", "openai"}
    store.append(entries)
    span = {"since": datetime(2026, 1, 1, tzinfo=UTC), "until": datetime(2027, 1, 1, tzinfo=UTC)}
    rows = store.ask("bill", by="provider", tag="", zone="UTC", **span)
    assert {row["name"] for row in rows} == {"gpu1:8000", "", "openai"}
