from datetime import date
from urllib.parse import parse_qsl, urlsplit

import pytest

from modicum.reports.reconciliation.report_requests import PROVIDERS, admin_headers, next_page, report_requests

FIRST, UNTIL = date(2026, 11, 1), date(2026, 12, 1)


def test_usage_and_costs_are_asked_for_by_day_and_model():
    openai = report_requests("openai", FIRST, UNTIL, with_keys=True)
    anthropic = report_requests("anthropic", FIRST, UNTIL, with_keys=False)

    assert [one.path for one in openai + anthropic] == [
        "/v1/organization/usage/completions",
        "/v1/organization/usage/embeddings",
        "/v1/organization/costs",
        "/v1/organizations/usage_report/messages",
        "/v1/organizations/cost_report",
    ]
    query = parse_qsl(urlsplit(openai[0].target("mark&more")).query)
    assert dict(query) == {
        "start_time": "1793491200",
        "end_time": "1796083200",
        "bucket_width": "1d",
        "limit": "31",
        "group_by[]": "api_key_id",
        "page": "mark&more",
    }
    assert ("group_by[]", "model") in query
    assert ("starting_at", "2026-11-01T00:00:00Z") in parse_qsl(urlsplit(anthropic[1].target()).query)
    assert "page" not in dict(parse_qsl(urlsplit(anthropic[1].target()).query))


def test_the_key_stands_where_each_api_wants_it():
    assert [list(admin_headers(one, "k")) for one in PROVIDERS] == [
        ["authorization"],
        ["x-api-key", "anthropic-version"],
    ]


@pytest.mark.parametrize(
    ("page", "mark"),
    [
        ({"has_more": True, "next_page": "a"}, "a"),
        ({"next_page": "a"}, "a"),
        ({"has_more": False, "next_page": "a"}, ""),
        ({"has_more": True, "next_page": None}, ""),
        ({"has_more": True, "next_page": 7}, ""),
        ({}, ""),
    ],
)
def test_the_last_page_is_known(page, mark):
    assert next_page(page) == mark
