"""`modicum alert test` against a real server."""

from pathlib import Path
from types import SimpleNamespace

from ledger_process.watching.test_alert_post import serving


def settings(url, more=""):
    Path("modicum.toml").write_text(f'[alerts]\nwebhook = "{url}"\n{more}')


def test_a_test_alert_arrives(modicum):
    with serving() as receiver:
        settings(receiver.url)
        printed = modicum("alert", "test")
        document = modicum("alert", "test", "--json").json

    assert printed.status == 0
    assert "has taken a test alert" in printed.out
    assert "'modicum up' does not run, so nothing was written" in printed.out
    assert "secret-path" not in printed.out
    assert [one["kind"] for one in receiver.posted] == ["test", "test"]
    assert document["posted"]["kind"] == "test"


def test_log_and_metrics_are_places_too(modicum, monkeypatch):
    raised = []
    running = SimpleNamespace(host="127.0.0.1", port=4100)
    monkeypatch.setattr("modicum.ledger_process.running.find", lambda _folder: running)
    monkeypatch.setattr(
        "modicum.ledger_process.client.LedgerProcessStore",
        lambda one: SimpleNamespace(raise_test_alert=lambda: raised.append(one)),
    )
    printed = modicum("alert", "test")
    document = modicum("alert", "test", "--json").json

    assert printed.status == 0
    assert "no webhook is set" in printed.out
    assert 'http://127.0.0.1:4100/metrics counts it in modicum_alerts_total{kind="test"}' in " ".join(
        printed.out.split()
    )
    assert document == {"webhook": None, "posted": None, "metrics": "http://127.0.0.1:4100/metrics"}
    assert raised == [running, running]


def test_what_is_wrong_is_one_line_that_says_what_to_do(modicum):
    nothing = modicum("alert", "test")
    with serving() as receiver:
        receiver.answers = [401, 404]
        settings(receiver.url)
        refused, lost = modicum("alert", "test"), modicum("alert", "test")
    away = modicum("alert", "test")

    assert [one.status for one in (nothing, refused, lost, away)] == [2, 2, 2, 2]
    assert "no webhook is set: add 'webhook' under [alerts]" in nothing.err
    assert "'modicum up' does not run" in nothing.err
    assert "is the key in alerts.headers right?" in refused.err
    assert "is the address right?" in lost.err
    assert "does not answer" in away.err
    assert "secret-path" not in refused.err + lost.err + away.err
