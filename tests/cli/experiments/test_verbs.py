"""`modicum experiment`, as a person types it."""

import json

import pytest

from modicum.settings import state_folder

START = ("experiment", "start", "cheaper", "--model", "gpt-4o", "--to", "gpt-4o-mini", "--outcome", "resolved")


def test_an_experiment_is_started_shown_kept_and_logged(modicum, folder):
    assert "experiment start --help" in modicum("experiment", "status").out
    assert "experiment start --help" in modicum("experiment", "log").out
    started = modicum(*START, "--why", "half the price").out
    assert "calls for gpt-4o ask gpt-4o-mini in 50 % of tasks" in started
    assert "the ledger knows no outcome 'resolved'" in started
    shown = modicum("experiment", "status").out
    assert "cheaper: running" in shown
    assert "the ledger holds no task of this experiment" in shown
    assert "all calls have the change" in modicum("experiment", "stop", "cheaper", "--keep").out
    assert modicum("experiment", "status", "cheaper", "--json").json[0]["state"] == "kept"
    assert "no call has the change" in modicum("experiment", "stop", "cheaper", "--why", "second thoughts").out
    logged = modicum("experiment", "log", "--json").json
    assert [(one["name"], one["what"], one["why"]) for one in logged] == [
        ("cheaper", "started", "half the price"),
        ("cheaper", "kept", "by hand"),
        ("cheaper", "stopped", "second thoughts"),
    ]
    assert logged[0]["to"] == "gpt-4o-mini"
    assert "second thoughts" in modicum("experiment", "log").out
    assert (state_folder() / "events.sqlite").exists()


def test_the_plan_rests_on_the_outcomes_that_there_are(modicum, folder):
    for number in range(5):
        modicum("outcome", "record", f"t{number}", "resolved", "1" if number else "0")

    assert 2_000 < modicum(*START, "--json").json["tasks_until_safe"] < 4_000


def test_json_has_every_field_of_the_status(modicum, folder):
    modicum(*START, "--settle", "2h", "--hold-out", "0.2", "--margin", "0.02")
    (shown,) = modicum("experiment", "status", "--json").json

    assert (shown["settle_s"], shown["hold_out"], shown["margin"]) == (7200.0, 0.2, 0.02)
    assert (shown["verdict"], shown["difference"], shown["tag"]) == ("go_on", None, "experiment.cheaper")
    assert shown["tasks"] == {"changed": 0, "hold_out": 0}
    assert shown["effective_tokens"]["no_interval"]
    assert json.dumps(shown)


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("start", "x", "--outcome", "y"), "about one thing"),
        (("start", "x", "--outcome", "y", "--model", "a", "--rule", "b"), "about one thing"),
        (("start", "x", "--outcome", "y", "--model", "a"), "--to MODEL"),
        (("start", "x", "--outcome", "y", "--rule", "b"), "there is no rule 'b'"),
        (("start", "x", "--outcome", "y", "--team", "b"), "docs/teams.md"),
        (("start", "x", "--outcome", "y", "--team", "b", "--to", "c"), "--to goes with --model"),
        (("start", "x y", "--outcome", "y", "--model", "a", "--to", "b"), "letters, digits"),
        (("start", "x", "--outcome", "y", "--model", "a", "--to", "b", "--margin", "5"), "0.05 is 5 points"),
        (("start", "x", "--outcome", "y", "--model", "a", "--to", "b", "--settle", "soon"), "90m, 8h or 2d"),
        (("status", "x"), "there is no experiment 'x'"),
        (("stop", "x"), "none was started yet"),
    ],
)
def test_what_is_wrong_is_said_with_what_to_type(modicum, folder, words, why):
    failed = modicum("experiment", *words)

    assert failed.status == 2
    assert why in failed.err


def test_what_is_over_or_running_cannot_be_ended_or_started_again(modicum, folder):
    modicum(*START)
    assert "is running" in modicum(*START).err
    assert modicum("experiment", "stop", "cheaper").status == 0
    assert "is over (stopped: by hand)" in modicum("experiment", "stop", "cheaper").err
    assert modicum(*START).status == 0
