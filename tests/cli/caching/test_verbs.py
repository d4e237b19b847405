import io
import json
import sys
from datetime import UTC, datetime, timedelta

import pytest

from modicum.cli.caching.verbs import status_line
from modicum.insights.cache_replay.cache_status import CacheState

MODEL = "claude-opus-4-5-20251101"


def row(age_s, **usage):
    at = (datetime.now(UTC) - timedelta(seconds=age_s)).isoformat().replace("+00:00", "Z")
    usage = {
        "input_tokens": 3,
        "output_tokens": 9,
        "cache_read_input_tokens": 0,
        "cache_creation_input_tokens": 0,
    } | usage
    message = {"id": f"msg_{age_s:09}abcdefghijkl", "model": MODEL, "role": "assistant", "content": [], "usage": usage}
    return {
        "type": "assistant",
        "sessionId": "s",
        "uuid": f"u{age_s}",
        "parentUuid": None,
        "timestamp": at,
        "message": message,
    }


@pytest.fixture
def transcript(tmp_path):
    def write(*rows):
        path = tmp_path / "session.jsonl"
        path.write_text("".join(f"{json.dumps(one)}\n" for one in rows))
        return path

    return write


def hand_over(monkeypatch, text):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))


def test_logs_say_which_cache_is_warm(modicum, transcript):
    path = transcript(row(7000, cache_creation_input_tokens=50_000), row(20, cache_creation_input_tokens=50_000))

    (cache,) = modicum("cache", "status", path, "--json").json["caches"]

    assert (cache["is_warm"], cache["cached_tokens"], cache["ttl_s"]) == (True, 50_000, 300)
    assert "warm, 4:" in modicum("cache", "status", path).out


def test_a_status_line_is_one_line_about_the_session_on_stdin(modicum, transcript, monkeypatch):
    path = transcript(row(900, cache_creation_input_tokens=60_000))
    hand_over(monkeypatch, json.dumps({"session_id": "s", "transcript_path": str(path)}))

    line = modicum("cache", "status", "--stdin").out

    assert line.startswith("cache cold for 10:0")
    assert line.endswith("; the next turn writes 60,000 tokens again: $0.38 instead of $0.030\n")


@pytest.mark.parametrize(("over", "age_s", "warns"), [("0.2", 900, True), ("0.5", 900, False), ("0.2", 20, False)])
def test_a_hook_warns_of_dear_turns_on_cold_caches_only(modicum, transcript, monkeypatch, over, age_s, warns):
    path = transcript(row(age_s, cache_creation_input_tokens=60_000))
    hand_over(monkeypatch, json.dumps({"transcript_path": str(path)}))

    found = modicum("cache", "status", "--stdin", "--warn-over", over)

    assert (found.status, bool(found.out)) == (0, warns)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"transcript_path": 7}', "{}"])
def test_what_names_no_transcript_is_one_line(modicum, monkeypatch, text):
    hand_over(monkeypatch, text)

    found = modicum("cache", "status", "--stdin")

    assert found.status == 2
    assert "no transcript is named on stdin" in found.err


def test_the_ledger_is_asked_where_no_logs_are_named(modicum, transcript, home):
    assert "no conversation of the last 24 hours" in modicum("cache", "status").out
    modicum("import", transcript(row(20, cache_creation_input_tokens=50_000)))

    (cache,) = modicum("cache", "status", "--json").json["caches"]
    assert cache["is_warm"] is True


def test_who_named_logs_is_not_told_to_name_some(modicum, transcript, home):
    old = transcript(row(100_000, cache_creation_input_tokens=50_000))

    said = " ".join(modicum("cache", "status", old).out.split())
    assert said == "no conversation of the last 24 hours in these logs used a prompt cache; what is older is cold"
    assert "in the ledger used a prompt cache; name logs, or" in " ".join(modicum("cache", "status").out.split())


def test_a_line_without_a_price_says_no_dollars():
    state = CacheState(
        conversation="c", task="t", agent="", model="m", cached_tokens=1200, ttl_s=300.0, age_s=10.0, is_warm=True,
        left_s=290.0, warm_usd=None, cold_usd=None,
    )  # fmt: skip

    assert status_line(state) == "cache warm, 4:50 left (1,200 tokens)"


def test_conditions_choose_conversations_in_logs_and_in_the_ledger(modicum, transcript, home):
    path = transcript(row(20, cache_creation_input_tokens=50_000))
    modicum("import", path)

    for place in ([path], []):
        (state,) = modicum("cache", "status", *place, "--model", f"{MODEL[:9]}*", "--json").json["caches"]
        assert state["model"] == MODEL
        assert "no call has the model 'gpt-5'" in modicum("cache", "status", *place, "--model", "gpt-5").err
