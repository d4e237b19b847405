from datetime import date
from decimal import Decimal

import pytest

from modicum.reports.reconciliation.cost_reports import (
    CostLine,
    is_cost_report,
    is_empty_page,
    parse_cost_page,
    sum_cost_lines,
)

DAY = date(2026, 11, 2)


def openai(value=0.06, currency="usd", **fields):
    result = {"object": "organization.costs.result", "amount": {"value": value, "currency": currency}} | fields
    return {"data": [{"object": "bucket", "start_time": 1793577600, "results": [result]}]}


def anthropic(amount="123.45", **fields):
    result = {"amount": amount, "currency": "USD", "model": "claude-opus-4-5"} | fields
    return {"data": [{"starting_at": "2026-11-02T00:00:00Z", "results": [result]}]}


def test_dollars_of_one_and_cents_of_the_other_are_dollars():
    assert list(parse_cost_page(openai(line_item="gpt-5, input"))) == [
        CostLine(DAY, "openai", "gpt-5", Decimal("0.06"))
    ]
    assert list(parse_cost_page(anthropic())) == [CostLine(DAY, "anthropic", "claude-opus-4-5", Decimal("1.2345"))]
    assert next(parse_cost_page(openai(line_item=None))).model == ""


@pytest.mark.parametrize(
    ("page", "why"),
    [
        (openai(currency="eur"), "the amount is in eur, and not in USD"),
        (anthropic(currency="GBP"), "the amount is in GBP"),
        (anthropic("much"), "not counted"),
        (anthropic("NaN"), "the amount is no number"),
        (openai("1e999999"), "which nobody is charged on a day"),
        (anthropic("-1e13"), "which nobody is charged on a day"),
        (openai(None), "not counted"),
        ({"data": [{"results": [{"amount": "1"}]}]}, "the bucket has no time"),
        ({"data": [{"start_time": 1e30, "results": [{"amount": {"value": 1, "currency": "usd"}}]}]}, "not counted"),
    ],
)
def test_what_cannot_be_counted_says_why(page, why):
    (found,) = parse_cost_page(page)

    assert why in found


def test_usage_reports_and_other_pages_are_no_cost_reports():
    assert is_cost_report(openai())
    assert not is_cost_report({"data": [{"results": [{"input_tokens": 3}]}]})
    assert not is_cost_report({"data": "text"})


def test_lines_of_one_day_and_model_are_summed():
    line = CostLine(DAY, "openai", "gpt-5", Decimal("0.5"))

    assert sum_cost_lines([line, line]) == {(DAY, "openai", "gpt-5"): 1}


def test_a_page_without_a_row_is_of_either_report():
    def page(*buckets):
        return {"data": list(buckets), "has_more": False, "next_page": None}

    assert is_empty_page(page())
    assert is_empty_page(page({"start_time": 1793577600, "results": []}))
    assert is_empty_page(page({"starting_at": "2026-11-02T00:00:00Z", "results": []}))
    assert not is_empty_page(page({"start_time": 1793577600, "results": [{"input_tokens": 3}]}))
    assert not is_empty_page(page({"id": "chatcmpl-1", "results": []}))
    assert not is_empty_page({"data": []})
