"""`modicum budget raise`, `lower` and `log`, over the files of a user."""

from datetime import UTC, datetime, timedelta

import pytest

from modicum.ledger.opening import open_store

SETTINGS = """
[[budget]]
name = "team-month"
per = "month"
limit_usd = 10

[[budget]]
name = "each-key"
per = "ever"
limit_calls = 3
key = "*"
"""
RAISE = ("budget", "raise", "team-month", "--to", "25.5", "--until", "4h", "--why", "launch week")


@pytest.fixture
def ledger(tmp_path):
    (tmp_path / "work" / "modicum.toml").write_text(SETTINGS)
    open_store(str(tmp_path / "ledger.duckdb")).close()
    return tmp_path / "ledger.duckdb"


def test_a_raise_is_shown_logged_and_ended(modicum, ledger):
    raised = modicum(*RAISE, "--approved-by", "ann", "--json").json
    (month,) = modicum("budget", "show", "team-month", "--json", "--ledger", ledger).json["budgets"]
    table = modicum("budget", "show", "team-month", "--ledger", ledger).out
    ended = modicum("budget", "lower", "team-month", "--json").json["ended"]
    (after,) = modicum("budget", "show", "team-month", "--json", "--ledger", ledger).json["budgets"]
    log = modicum("budget", "log", "--json", "--ledger", ledger).json["events"]

    assert (raised["limit"], raised["approved_by"], raised["why"]) == (25.5, "ann", "launch week")
    assert (month["limit"], month["left"], month["raised_until"]) == (25.5, 25.5, raised["until"])
    assert timedelta(hours=3) < datetime.fromisoformat(raised["until"]) - datetime.now(UTC) <= timedelta(hours=4)
    assert "$25.50 (raised)" in table
    assert "team-month is raised until" in table
    assert ended == [raised["id"]]
    assert (after["limit"], after["raised_until"]) == (10, None)
    assert [(one["what"], one["name"]) for one in log] == [("raised", "team-month"), ("ended", "team-month")]
    assert (log[0]["limit"], log[0]["approved_by"]) == (25.5, "ann")


def test_people_read_what_holds_now_and_what_to_type_to_end_it(modicum, ledger):
    ran = modicum("budget", "raise", "each-key", "--of", "ci", "--to", "50", "--until", "1d", "--why", "tests")
    log = modicum("budget", "log", "--ledger", ledger).out

    assert "'each-key' of ci is 50 calls until" in ran.out
    assert "in place of 3 calls; 'modicum budget lower each-key' ends that before" in ran.out
    assert all(text in log for text in ("raised", "each-key", "ci", "50 calls", "tests"))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["nobody", "--to", "5", "--until", "4h", "--why", "x"], "there is no budget 'nobody'"),
        (["team-month", "--to", "9", "--until", "4h", "--why", "x"], "must be above the limit of 'team-month', $10.00"),
        (["team-month", "--to", "1e400", "--until", "4h", "--why", "x"], "1e400: a raise"),
        (["team-month", "--to", "nan", "--until", "4h", "--why", "x"], "is no amount"),
        (["team-month", "--to", "a lot", "--until", "4h", "--why", "x"], "is no amount"),
        (["team-month", "--to", "20", "--until", "soon", "--why", "x"], "is no time"),
        (["team-month", "--to", "20", "--until", "2020-01-01", "--why", "x"], "must lie within the next 366 days"),
        (["team-month", "--to", "20", "--until", "99999d", "--why", "x"], "must lie within the next 366 days"),
        (["team-month", "--to", "20", "--until", "4h", "--why", " "], "reason is empty"),
        (["team-month", "--of", "ci", "--to", "20", "--until", "4h", "--why", "x"], "sums by no names"),
    ],
)
def test_what_is_wrong_is_refused_with_what_to_type(modicum, ledger, words, message):
    ran = modicum("budget", "raise", *words)

    assert ran.status == 2
    assert message in ran.err
    assert modicum("budget", "log", "--json").json == {"events": []}
