import json

import pytest

from modicum.calls import BUCKETS

LINE = {
    "type": "assistant",
    "sessionId": "s1",
    "version": "2.1.280",
    "message": {
        "model": "claude-sonnet-5-5",
        "role": "assistant",
        "stop_reason": "end_turn",
        "content": [{"type": "text", "text": "ok"}],
        "usage": {
            "input_tokens": 0,
            "output_tokens": 0,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 1_000_000,
        },
    },
}


@pytest.fixture
def ledger(modicum, tmp_path):
    """A ledger with a call before the cut of 2026-10-07 and one after."""
    log = tmp_path / "log.jsonl"
    rows = []
    for number, day in enumerate(("2026-10-01", "2026-10-20")):
        row = {**LINE, "uuid": f"u{number}", "timestamp": f"{day}T10:00:00.000Z", "requestId": f"r{number}"}
        row["message"] = {**LINE["message"], "id": f"msg_{number}"}
        rows.append(json.dumps(row, separators=(",", ":")))
    log.write_text("\n".join(rows))
    path = str(tmp_path / "ledger.duckdb")
    assert modicum("import", str(log), "--ledger", path).status == 0
    return path


def test_a_price_is_shown_with_its_correction_and_its_history(modicum):
    shown = modicum("prices", "claude-sonnet-5-5", "--at", "2026-10-01", "--json")
    (found,) = shown.json["models"]

    assert (found["seller"], found["listed_as"], found["name_is_listed"]) == ("anthropic", "claude-sonnet-5-5", True)
    standard = next(lane for lane in found["lanes"] if lane["lane"] == "standard")
    (step,) = standard["steps"]
    assert set(step["usd_per_million"]) == set(BUCKETS)
    assert (step["usd_per_million"]["cache_read"], step["source"], step["basis"]) == (0.2, "corrections", "exact")
    assert any(note["holds"] and note["source"].startswith("https://") for note in found["notes"])
    reads = [
        (period["until"], period["steps"][0]["usd_per_million"]["cache_read"])
        for period in found["history"]
        if period["lane"] == "standard"
    ]
    assert reads == [("2026-10-07T00:00:00Z", 0.2), (None, 0.1)]


def test_a_table_says_who_says_so(modicum):
    shown = modicum("prices", "claude-sonnet-5-5", "--at", "2026-10-01")

    assert "sold by anthropic" in shown.out
    assert "Corrected: cache reads cost $0.20" in shown.out
    assert "History" in shown.out


def test_steps_and_own_prices_are_shown(modicum, tmp_path):
    own = tmp_path / "prices.toml"
    own.write_text('[[price]]\nmodel = "gemini-*"\ndiscount = 0.5\n')
    (found,) = modicum("prices", "gemini-2.5-pro", "--prices", str(own), "--json").json["models"]
    steps = found["lanes"][0]["steps"]

    assert [(step["above_tokens"], step["source"]) for step in steps] == [(0, "prices.toml"), (200_000, "prices.toml")]
    assert steps[1]["usd_per_million"]["input_uncached"] == 1.25


def test_a_name_that_only_begins_alike_says_so(modicum):
    assert "begins alike" in modicum("prices", "gemini-3.6-flash-image", "--provider", "google").out


def test_a_model_without_price_is_said_and_no_model_is_asked_for(modicum):
    assert "no price is known" in modicum("prices", "nobodys-model").out
    asked = modicum("prices")
    assert asked.status == 2
    assert "which model" in asked.err


def test_the_past_is_repriced_and_what_is_booked_stays(modicum, ledger):
    before = modicum("bill", "--ledger", ledger, "--json").json["cost_usd"]
    diff = modicum("prices", "diff", "2026-10-01", "2026-11-01", "--ledger", ledger, "--json").json

    assert (diff["old_usd"], diff["new_usd"], diff["change_usd"]) == (0.4, 0.2, -0.2)
    assert [(row["model"], row["calls"], row["changed"]) for row in diff["rows"]] == [("claude-sonnet-5-5", 2, 2)]
    assert modicum("bill", "--ledger", ledger, "--json").json["cost_usd"] == before == 0.3


def test_saved_prices_are_a_source(modicum, ledger, tmp_path):
    saved, own = tmp_path / "before.json", tmp_path / "own.toml"
    own.write_text('[[price]]\nmodel = "claude-*"\ndiscount = 0.5\n')
    assert modicum("prices", "--save", str(saved), "--ledger", ledger).status == 0

    same = modicum("prices", "diff", str(saved), "list", "--ledger", ledger, "--json").json
    half = modicum("prices", "diff", "booked", str(own), "--ledger", ledger)

    assert (same["old_usd"], same["change_usd"]) == (0.3, 0)
    assert "-$0.15" in half.out
    assert "What is booked stays" in half.out


def test_a_word_that_names_no_prices_lists_what_does(modicum, ledger):
    wrong = modicum("prices", "diff", "yore", "list", "--ledger", ledger)

    assert wrong.status == 2
    assert "'yore' is no source of prices; write booked, list" in wrong.err


def test_without_at_the_price_is_that_of_today_and_a_day_begins_in_the_users_zone(modicum, monkeypatch):
    monkeypatch.setenv("TZ", "America/New_York")

    assert modicum("prices", "claude-sonnet-5-5", "--json").status == 0
    assert modicum("prices", "claude-sonnet-5-5", "--at", "2026-10-07", "--json").json["at"] == "2026-10-07T04:00:00Z"


def test_conditions_choose_the_calls_that_are_repriced(modicum, ledger):
    words = ("prices", "diff", "booked", "list", "--ledger", ledger)
    (row,) = modicum(*words, "--where", "day=2026-10-20", "--json").json["rows"]

    assert row["calls"] == 1
    assert "no call has the team 'nobody'" in modicum(*words, "--team", "nobody").err
