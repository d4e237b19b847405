"""`modicum alert test` against a real server."""

from pathlib import Path

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
    assert "secret-path" not in printed.out
    assert [one["kind"] for one in receiver.posted] == ["test", "test"]
    assert document["posted"]["kind"] == "test"


def test_what_is_wrong_is_one_line_that_says_what_to_do(modicum):
    nothing = modicum("alert", "test")
    with serving() as receiver:
        receiver.answers = [401, 404]
        settings(receiver.url)
        refused, lost = modicum("alert", "test"), modicum("alert", "test")
    away = modicum("alert", "test")

    assert [one.status for one in (nothing, refused, lost, away)] == [2, 2, 2, 2]
    assert "no webhook is set: add 'webhook' under [alerts]" in nothing.err
    assert "is the key in alerts.headers right?" in refused.err
    assert "is the address right?" in lost.err
    assert "does not answer" in away.err
    assert "secret-path" not in refused.err + lost.err + away.err
