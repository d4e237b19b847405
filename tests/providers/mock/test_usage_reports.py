import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from modicum.calls import Usage
from modicum.providers.mock.usage_reports import MockReports, key_id

AT = datetime(2026, 11, 2, 10, tzinfo=UTC)
ADMIN = {"openai": {"authorization": "Bearer sk-admin-x"}, "anthropic": {"x-api-key": "sk-ant-admin-x"}}
START = 1793491200  # 2026-11-01
SPAN = f"start_time={START}&end_time={START + 10 * 86_400}"


@pytest.fixture
def reports():
    found = MockReports(lambda _provider, model, _usage, _at: None if model == "unknown" else Decimal("0.125"))
    for day in (0, 0, 8):
        found.count("openai", "gpt-5", "key", Usage(10, 5, output_visible=3), AT + timedelta(days=day))
    found.count("openai", "text-embedding-3-small", "key", Usage(7), AT)
    found.count("openai", "unknown", "key", Usage(1), AT)
    found.count("anthropic", "claude-opus-4-5", "key", Usage(1, 2, 3, 4, 5), AT)
    return found


def page(reports, path, query, provider="openai"):
    reply = reports.answer("GET", path, query, ADMIN[provider])
    assert reply.status == 200
    return json.loads(b"".join(reply.parts))


def test_days_are_buckets_and_pages_follow_each_other(reports):
    first = page(reports, "/v1/organization/usage/completions", f"{SPAN}&group_by[]=model&group_by[]=api_key_id")
    last = page(reports, "/v1/organization/usage/completions", f"{SPAN}&page={first['next_page']}")

    assert [len(first["data"]), len(last["data"]), first["has_more"], last["has_more"]] == [7, 3, True, False]
    assert last["next_page"] is None
    rows = first["data"][1]["results"]
    assert [(row["model"], row["input_tokens"], row["num_model_requests"]) for row in rows] == [
        ("gpt-5", 30, 2),
        ("unknown", 1, 1),
    ]
    assert rows[0]["api_key_id"] == key_id("key")
    assert [row["model"] for bucket in last["data"] for row in bucket["results"]] == [None]


def test_costs_are_dollars_of_one_and_cents_of_the_other(reports):
    openai = page(reports, "/v1/organization/costs", f"{SPAN}&group_by[]=line_item")["data"][1]["results"]
    query = "starting_at=2026-11-02T00:00:00Z&ending_at=2026-11-03T00:00:00Z&group_by[]=description"
    (bucket,) = page(reports, "/v1/organizations/cost_report", query, "anthropic")["data"]

    assert {row["line_item"]: row["amount"]["value"] for row in openai} == {
        "gpt-5, tokens": 0.25,
        "text-embedding-3-small, tokens": 0.125,
        "unknown, tokens": 0.0,
    }
    assert [(row["amount"], row["model"]) for row in bucket["results"]] == [("12.500", "claude-opus-4-5")]


def test_usage_of_claude_has_its_cache_writes(reports):
    query = "starting_at=2026-11-02T00:00:00Z&limit=1&group_by[]=model"
    (bucket,) = page(reports, "/v1/organizations/usage_report/messages", query, "anthropic")["data"]

    (row,) = bucket["results"]
    assert (row["uncached_input_tokens"], row["cache_read_input_tokens"], row["output_tokens"]) == (1, 2, 5)
    assert row["cache_creation"] == {"ephemeral_5m_input_tokens": 3, "ephemeral_1h_input_tokens": 4}


@pytest.mark.parametrize(
    ("query", "headers", "status"),
    [
        (SPAN, {}, 401),
        (SPAN, {"authorization": "Bearer sk-x"}, 403),
        ("", ADMIN["openai"], 400),
        ("start_time=x", ADMIN["openai"], 400),
        ("start_time=1e400", ADMIN["openai"], 400),
        (f"{SPAN}&limit=500", ADMIN["openai"], 400),
        (f"{SPAN}&bucket_width=1m", ADMIN["openai"], 400),
        (f"{SPAN}&page=other", ADMIN["openai"], 400),
    ],
)
def test_questions_that_cannot_be_answered_are_refused(query, headers, status, reports):
    assert reports.answer("GET", "/v1/organization/costs", query, headers).status == status


def test_other_paths_are_left_to_others(reports):
    assert reports.answer("GET", "/v1/models", "", {}) is None
    assert reports.answer("POST", "/v1/organization/costs", SPAN, ADMIN["openai"]) is None
