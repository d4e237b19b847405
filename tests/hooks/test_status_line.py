"""What a session cost, and until when its cache is warm."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from modicum.hooks.status_line import TAIL_BYTES, status_line

NOW = datetime(2026, 11, 30, 12, 0, tzinfo=UTC)


def row(minutes_ago, read=40_000, hour=0, **fields):
    usage = {
        "input_tokens": 3,
        "cache_read_input_tokens": read,
        "cache_creation_input_tokens": 1_000 if read else 0,
        "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": hour},
    }
    at = (NOW - timedelta(minutes=minutes_ago)).isoformat().replace("+00:00", "Z")
    return json.dumps({"type": "assistant", "timestamp": at, "message": {"usage": usage}, **fields})


def shown(tmp_path, *rows, **event):
    path = tmp_path / "t.jsonl"
    path.write_text("\n".join(rows) + "\n")
    return status_line(
        json.dumps({"cost": {"total_cost_usd": 1.234}, "transcript_path": str(path), **event}).encode(), NOW
    )


@pytest.mark.parametrize(
    ("rows", "line"),
    [
        ([row(2)], "$1.23 | cache warm until 12:03 (41k tokens)"),
        ([row(2, hour=5)], "$1.23 | cache warm until 12:58 (41k tokens)"),
        ([row(9)], "$1.23 | cache cold since 11:56: 41k tokens are written anew"),
        ([row(9), row(1, isSidechain=True)], "$1.23 | cache cold since 11:56: 41k tokens are written anew"),
        ([row(2, read=0)], "$1.23 | nothing cached"),
        (
            [row(2), '{"usage": broken', '"usage"', '{"message": {"usage": {}}}'],
            "$1.23 | cache warm until 12:03 (41k tokens)",
        ),
        (["{}"], "$1.23"),
        ([row(2), "x" * (TAIL_BYTES + 10)], "$1.23"),
    ],
)
def test_spend_and_cache_are_one_line(tmp_path, rows, line):
    assert shown(tmp_path, *rows) == line


def test_what_an_event_does_not_say_is_not_shown(tmp_path):
    assert shown(tmp_path, row(2), cost=None) == "cache warm until 12:03 (41k tokens)"
    assert shown(tmp_path, cost={"total_cost_usd": "1"}, transcript_path="/nowhere") == ""
