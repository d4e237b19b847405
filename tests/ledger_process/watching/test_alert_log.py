"""Alerts on disk: all or nothing, bounded, and for their user's eyes only."""

from datetime import UTC, datetime

import pytest

from modicum.calls import UserError
from modicum.governance.alerts import Alert, AlertKind, Raised
from modicum.ledger_process.watching import alert_log
from modicum.ledger_process.watching.alert_log import AlertLog

NOW = datetime(2026, 11, 30, 8, tzinfo=UTC)


def alert(subject):
    return Alert(kind=AlertKind.CIRCUIT_OPEN, subject=f"{subject}", at=NOW, text="it is open")


def test_what_was_told_and_what_waits_outlives_the_process(tmp_path):
    raised = {"circuit_open:openai": Raised(NOW, holds=True)}
    AlertLog(tmp_path).record([alert("openai")], raised, has_webhook=True)
    log = AlertLog(tmp_path)

    assert log.read_raised() == raised
    waiting = log.next_waiting()
    assert waiting.alert == alert("openai")
    log.mark(waiting.seq, alert_log.DELIVERED)
    assert log.next_waiting() is None
    assert [one.delivery for one in log.newest(5)] == ["delivered"]
    assert log.path.stat().st_mode & 0o777 == 0o600


def test_without_a_webhook_nothing_waits(tmp_path):
    log = AlertLog(tmp_path)
    log.record([alert("a")], {}, has_webhook=False)

    assert log.next_waiting() is None
    assert log.newest(1)[0].delivery == "logged"


def test_the_queue_is_bounded_and_gives_up_the_oldest(tmp_path, monkeypatch):
    monkeypatch.setattr(alert_log, "MOST_WAITING", 3)
    monkeypatch.setattr(alert_log, "MOST_KEPT", 6)
    log = AlertLog(tmp_path)
    dropped = sum(log.record([alert(number)], {}, has_webhook=True) for number in range(10))

    assert dropped == 7
    assert log.count_waiting() == 3
    assert log.next_waiting().alert.subject == "7"
    assert len(log.newest(100)) == 6


@pytest.mark.parametrize("content", [b"no database at all, but long enough to be looked at" * 100, b"\0" * 4096])
def test_a_broken_file_is_named_with_what_to_do(tmp_path, content):
    log = AlertLog(tmp_path)
    log.path.write_bytes(content)

    with pytest.raises(UserError, match="delete it to begin a new one"):
        log.read_raised()
