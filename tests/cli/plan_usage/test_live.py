import csv
import json
from datetime import UTC, datetime, timedelta

import pytest

from modicum.cli.plan_usage.live import LiveLogs
from modicum.metering.prices import PriceBook


def row(number, minutes_ago, session="s"):
    at = (datetime.now(UTC) - timedelta(minutes=minutes_ago)).isoformat().replace("+00:00", "Z")
    usage = {"input_tokens": 3, "cache_creation_input_tokens": 9_000, "output_tokens": 50}
    message = {"id": f"msg_{session}{number}", "model": "claude-opus-4-5", "content": [], "usage": usage}
    common = {"parentUuid": None, "isSidechain": False, "sessionId": session, "cwd": "/w/shop", "timestamp": at}
    return json.dumps({**common, "type": "assistant", "uuid": f"{session}{number}", "message": message}) + "\n"


@pytest.fixture
def logs(tmp_path):
    folder = tmp_path / "logs"
    folder.mkdir()
    (folder / "s.jsonl").write_text(row(1, 5) + row(2, 1))
    return folder


def test_sessions_are_shown_as_they_run(modicum, logs):
    shown = modicum("live", logs, "--once")

    assert shown.status == 0
    assert "shop" in shown.out
    assert "1 min ago" in shown.out
    assert "warm until" in shown.out
    assert "in 2 calls" in shown.out or datetime.now(UTC).hour == 0
    view = modicum("live", logs, "--json").json["view"]
    assert view["sessions"][0]["context_tokens"] == 9_003


def test_a_file_is_read_again_when_it_grew_and_forgotten_when_it_went(logs):
    live, prices = LiveLogs([logs], None), PriceBook()
    now = datetime.now(UTC)
    assert len(live.read(prices, now)) == 2
    with (logs / "s.jsonl").open("a") as file:
        file.write(row(3, 0))
    (logs / "t.jsonl").write_text(row(1, 2, "t"))

    assert len(live.read(prices, now)) == 4
    (logs / "s.jsonl").unlink()
    assert [one.call.task for one in live.read(prices, now)] == ["t"]
    assert live.read(prices, now + timedelta(days=2)) == []


def test_a_path_that_is_not_there_is_said(modicum, tmp_path):
    wrong = modicum("live", tmp_path / "none", "--once")

    assert (wrong.status, "there is no file or folder" in wrong.err) == (2, True)


def test_csv_has_a_row_for_each_session(modicum, logs):
    found = modicum("live", logs, "--json").json["view"]["sessions"]
    rows = list(csv.DictReader(modicum("live", logs, "--csv").out.splitlines()))

    assert [(row["session"], int(row["calls"])) for row in rows] == [(one["session"], one["calls"]) for one in found]
    assert rows
