from datetime import timedelta
from decimal import Decimal

from ledger.samples import EVER, START, entry
from modicum.calls import Basis, Cost, Entry
from modicum.insights.bill import build
from modicum.insights.trends.spend_over_time import OTHERS, fold_days

CUT = {"by": "model", "tag": "", **EVER}


def test_days_sum_to_the_bill_in_every_zone_on_both_engines(store):
    store.append(
        [
            entry(f"c{number}", "0.1", started=START + timedelta(minutes=317 * number), model=f"m{number % 3}")
            for number in range(40)
        ]
    )
    for zone in ("UTC", "Asia/Kathmandu", "America/St_Johns"):
        days = fold_days(store.ask("spend_by_day", zone=zone, **CUT))
        bill = build(store.ask("bill", by="day", tag="", zone=zone, **EVER), "day")
        spent = [sum(values[at] for values in days.usd) for at in range(len(days.days))]

        assert {day: usd for day, usd in zip(days.days, spent, strict=True) if usd} == {
            line.name: line.cost_usd for line in bill.rows
        }
        assert sum(days.calls) == bill.total.calls
        assert days.prompt_tokens == bill.total.prompt_tokens
        assert days.completion_tokens == bill.total.completion_tokens
        assert days.effective_tokens == 40 * 12.5


def row(day, name, usd, basis="exact", **fields):
    return {
        "day": day,
        "name": name,
        "cost_basis": basis,
        "is_report": 0,
        "calls": 1,
        "calls_unpriced": 0,
        "prompt_tokens": 1,
        "cache_read_tokens": 0,
        "completion_tokens": 1,
        "effective_tokens": None,
        "calls_unweighted": 1,
        "cost_usd": None if usd is None else Decimal(usd),
    } | fields


def test_small_names_are_one_and_days_without_calls_are_there():
    rows = [row("2026-03-01", f"m{number}", f"{number}") for number in range(1, 10)]
    days = fold_days([*rows, row("2026-03-04", "m1", "1")], most=2)

    assert days.days == ["2026-03-01", "2026-03-02", "2026-03-03", "2026-03-04"]
    assert days.names == ["m9", "m8", OTHERS]
    assert [values[0] for values in days.usd] == [9, 8, 28]
    assert [values[3] for values in days.usd] == [0, 0, 1]
    assert days.effective_tokens is None


def test_what_is_not_known_is_no_zero_and_the_weakest_basis_stands():
    days = fold_days(
        [
            row("2026-03-01", "m", None, "unknown"),
            row("2026-03-02", "m", "1"),
            row("2026-03-02", "m", "1", "estimated"),
            row("2026-03-02", "m", None, "unknown"),
        ]
    )

    assert days.bases == [Basis.UNKNOWN, Basis.ESTIMATED]


def test_usage_reports_count_the_same_calls_and_are_left_out_beside_them(store):
    report = entry("r", "5", source="openai-usage")
    store.append([Entry(report.call, report.cost), entry("c", "1"), Entry(entry("u").call, Cost.unknown())])

    assert sum(sum(values) for values in fold_days(store.ask("spend_by_day", zone="UTC", **CUT)).usd) == 1
    assert fold_days([row("2026-03-01", "m", "5", is_report=1)]).usd == [[5]]
    assert fold_days([]).days == []
