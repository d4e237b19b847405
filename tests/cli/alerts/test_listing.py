"""`modicum alert list`."""

from datetime import UTC, datetime
from pathlib import Path

from modicum.governance.alerts import Alert, AlertKind
from modicum.ledger_process.watching.alert_log import AlertLog
from modicum.settings import state_folder


def test_alerts_are_listed_the_newest_first(folder, modicum):
    Path("modicum.toml").write_text('timezone = "UTC"\n')
    for hour in (8, 9):
        at = datetime(2026, 11, 30, hour, tzinfo=UTC)
        alert = Alert(kind=AlertKind.CIRCUIT_OPEN, subject="openai", at=at, text=f"open\nat {hour}", facts={"a": 1})
        AlertLog(state_folder()).record([alert], {}, has_webhook=hour == 9)

    lines = modicum("alert", "list").out.splitlines()
    assert [line.split()[:4] for line in lines[1:]] == [
        ["2026-11-30", "09:00:00", "circuit_open", "waiting"],
        ["2026-11-30", "08:00:00", "circuit_open", "logged"],
    ]
    document = modicum("alert", "list", "--count", "1", "--json").json["alerts"]
    assert [(one["kind"], one["delivery"], one["facts"], one["view"]) for one in document] == [
        ("circuit_open", "waiting", {"a": 1}, "")
    ]


def test_before_the_first_alert_it_says_when_there_are_some(folder, modicum):
    printed = modicum("alert", "list")

    assert printed.status == 0
    assert "no alert so far" in printed.out
    assert modicum("alert", "list", "--json").json == {"alerts": []}
    assert not (state_folder() / "alerts.sqlite").exists()


def test_a_broken_file_is_one_line(folder, modicum):
    state_folder().mkdir(parents=True)
    (state_folder() / "alerts.sqlite").write_bytes(b"garbage" * 1000)
    refused = modicum("alert", "list")

    assert refused.status == 2
    assert "delete it to begin a new one" in refused.err


def test_alerts_are_counted_in_whole_numbers(modicum):
    assert "[default: 20; 1<=x<=5000]" in " ".join(modicum("alert", "list", "--help").out.split())
    assert modicum("alert", "list", "--count", "2.5").status == 2
