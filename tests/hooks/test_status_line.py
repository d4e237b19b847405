"""What a session cost, and until when its cache is warm."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from modicum.hooks.status_line import TAIL_BYTES, answer_status, status_line

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


def event(**fields):
    return json.dumps(
        {"session_id": "s", "cost": {"total_cost_usd": 1.0, "total_duration_ms": 1000}, **fields}
    ).encode()


def test_the_day_and_the_block_stand_beside_the_session(tmp_path):
    assert status_line(event(), NOW, tmp_path) == "$1.00 | today $1.00 | block $1.00, 5 h 00 min left"
    other = {"session_id": "t", "cost": {"total_cost_usd": 0.5, "total_duration_ms": 60_000}}
    line = status_line(json.dumps(other).encode(), NOW + timedelta(minutes=90), tmp_path)

    assert line == "$0.50 | today $1.50 | block $1.50, 3 h 30 min left"


def test_what_the_client_says_of_a_plan_stands_above_our_block(tmp_path):
    resets = {"used_percentage": 23.4, "resets_at": (NOW + timedelta(hours=2)).timestamp()}
    week = {"used_percentage": 41, "resets_at": (NOW + timedelta(days=3)).timestamp()}

    line = status_line(event(rate_limits={"five_hour": resets, "seven_day": week}), NOW, tmp_path)

    assert line == "$1.00 | today $1.00 | 5 h: 77 % left until 14:00 | week: 59 % left until Thu 12:00"


@pytest.mark.parametrize("odd", [3, {"five_hour": 3}, {"five_hour": {"used_percentage": "x"}}, {"five_hour": {}}])
def test_odd_limits_are_not_shown(tmp_path, odd):
    assert "left until" not in status_line(event(rate_limits=odd), NOW, tmp_path)
    far = {"five_hour": {"used_percentage": 1, "resets_at": 1e300}}
    assert "5 h: 99 % left" in status_line(event(rate_limits=far), NOW, tmp_path)


@pytest.mark.parametrize("broken", [b"", b"[]", b"{", b'{"cost": {"total_cost_usd": 1}, "session_id": 7}'])
def test_whatever_goes_wrong_nothing_is_raised(tmp_path, broken):
    assert answer_status(["status-line", "claude-code", str(tmp_path)], broken) in {"", "$1.00"}
    assert answer_status(["status-line"], event()) == ""
