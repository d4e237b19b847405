import csv
import io
import json
from pathlib import Path

import pytest


def usage_page(days):
    counts = {"uncached_input_tokens": 12, "cache_read_input_tokens": 20040, "output_tokens": 28, "api_key_id": "key_1"}
    counts |= {"cache_creation": {"ephemeral_5m_input_tokens": 20947}, "model": "claude-opus-4-5-20251101"}
    buckets = [
        {"starting_at": f"{day}T00:00:00Z", "ending_at": f"{day}T23:59:59Z", "results": [counts]} for day in days
    ]
    return json.dumps({"data": buckets})


@pytest.fixture
def day(modicum, transcripts):
    """The one day of a ledger that is filled."""
    (transcripts / "session.jsonl").unlink()
    modicum("import", transcripts, "--no-anatomy")
    (row,) = modicum("bill", "--by", "day", "--json").json["rows"]
    return row["name"]


def test_reports_that_agree_are_said_to_and_a_discount_is_named(day, modicum):
    Path("usage.json").write_text(usage_page([day]))
    agreeing = modicum("reconcile", "usage.json")
    cents = float(modicum("bill", "--json").json["cost_usd"]) * 100
    result = {"amount": f"{cents * 0.9}", "currency": "USD", "model": "claude-opus-4-5-20251101"}
    Path("costs.json").write_text(json.dumps({"data": [{"starting_at": f"{day}T00:00:00Z", "results": [result]}]}))
    differing = modicum("reconcile", ".", "--json").json
    printed = modicum("reconcile", "usage.json", "costs.json").out
    rows = list(csv.DictReader(io.StringIO(modicum("reconcile", "usage.json", "costs.json", "--csv").out)))

    assert "agree in 1 row" in agreeing.out
    assert "tokens alone were compared" in agreeing.out
    (row,) = differing["rows"]
    assert "they charge 10.0 % less: a discount" in row["cause"]
    assert "they charge 10.0 % less" in printed
    assert rows[0]["our_prompt_tokens"] == rows[0]["their_prompt_tokens"] == "40999"


def test_keys_have_our_names(day, modicum):
    Path("usage.json").write_text(usage_page([day]))

    found = modicum("reconcile", "usage.json", "--by", "key", "--key", "key_1=ci", "--json").json

    assert {row["key"] for row in found["rows"]} == {"", "ci"}


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ((), "name the provider's reports"),
        (("empty.json",), "hold no rows of a usage or cost report"),
        (("usage.json", "--key", "x"), "write ID=NAME"),
        (("log.jsonl",), "these are logs of"),
    ],
)
def test_what_is_no_report_is_one_line(words, why, modicum, transcripts):
    Path("empty.json").write_text('{"data": []}')
    Path("usage.json").write_text(usage_page(["2026-11-01"]))
    Path("log.jsonl").write_bytes((transcripts / "rewind.jsonl").read_bytes())

    ran = modicum("reconcile", *words)

    assert ran.status == 2
    assert why in ran.err
