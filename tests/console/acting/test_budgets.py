import pytest

from modicum.calls import UserError
from modicum.console.access.viewer import ForbiddenError
from modicum.console.acting.budgets import (
    add_budget,
    editable_budgets,
    lower_budget,
    parse_limit,
    raise_budget,
    set_limit,
)
from modicum.console.acting.settings_changes import read_changes, undo_change
from modicum.governance.budgets import LimitUnit
from modicum.ledger.records import AUDIT_EVENTS
from modicum.settings import read_settings
from modicum.settings.editing.changes import ChangedMeanwhileError

RAISE = {"to": "90", "until": "4h", "of": (), "why": "launch"}


def version(asking, name):
    return next(one.version for one in editable_budgets(asking) if one.name == name)


def limits():
    return {one.name: one.limit_usd for one in read_settings().budget}


def test_a_limit_is_set_in_the_settings_and_on_record(asking_as, settings_file, store):
    ted = asking_as("ted")
    event = set_limit(ted, "search", "$75.50", version(ted, "search"))

    assert limits() == {"all": 500, "search": 75.5}
    assert "limit_usd = 75.5 # agreed" in settings_file.read_text()
    (line,) = store.records(AUDIT_EVENTS)
    assert (line.by, line.kind, line.subject) == ("ted", "settings", "budget 'search' limit_usd")
    assert (line.details["before"], line.details["now"]) == ("50", "75.5")
    undo_change(asking_as("eve"), event.change_id)
    assert limits()["search"] == 50
    assert read_changes(ted) == []


def test_editors_of_a_team_change_its_budgets_and_no_others(asking_as):
    ted, vic = asking_as("ted"), asking_as("vic")

    assert [one.name for one in editable_budgets(ted)] == ["search"]
    assert editable_budgets(vic) == []
    for act in (
        lambda: set_limit(ted, "all", "1", "x"),
        lambda: raise_budget(ted, "all", **RAISE, version="x"),
        lambda: add_budget(ted, name="n", per="day", unit="usd", amount="1", team=""),
        lambda: add_budget(ted, name="n", per="day", unit="usd", amount="1", team="web"),
        lambda: lower_budget(vic, "search", "x"),
    ):
        with pytest.raises(ForbiddenError):
            act()
    add_budget(ted, name="n", per="day", unit="calls", amount="1,000", team="search")
    assert read_settings().budget[2].limit_calls == 1000


def test_the_second_of_two_editors_is_refused_and_nothing_is_lost(asking_as):
    eve, ted = asking_as("eve"), asking_as("ted")
    seen = version(eve, "search")
    set_limit(ted, "search", "60", seen)

    with pytest.raises(ChangedMeanwhileError, match="its limit is 60 now"):
        set_limit(eve, "search", "70", seen)
    with pytest.raises(ChangedMeanwhileError):
        raise_budget(eve, "search", **RAISE, version=seen)
    assert limits()["search"] == 60
    now = version(eve, "search")
    raise_budget(eve, "search", **RAISE, version=now)
    with pytest.raises(ChangedMeanwhileError):
        raise_budget(ted, "search", **RAISE, version=now)


def test_a_raise_ends_before_its_time_once(asking_as, store):
    ted = asking_as("ted")
    event = raise_budget(ted, "search", **RAISE, version=version(ted, "search"))
    (standing,) = editable_budgets(ted)
    assert [one.raise_id for one in standing.raises] == [event.raise_id]
    lower_budget(ted, "search", event.raise_id)

    assert editable_budgets(ted)[0].raises == []
    with pytest.raises(UserError, match="not raised in that way"):
        lower_budget(ted, "search", event.raise_id)
    assert [(line.what, line.by) for line in store.records(AUDIT_EVENTS)] == [("raised", "ted"), ("ended", "ted")]


@pytest.mark.parametrize("text", ["", "lots", "-1", "nan", "inf", "1e999", "1.5"])
def test_what_is_no_limit_is_said(text):
    with pytest.raises(UserError, match="no limit"):
        parse_limit(text, LimitUnit.CALLS)


def test_a_budget_that_cannot_be_is_refused_and_the_file_stays(asking_as, settings_file):
    eve, text = asking_as("eve"), settings_file.read_text()
    fields = {"name": "n", "per": "day", "unit": "usd", "amount": "1", "team": ""}
    for wrong in ({"name": "all"}, {"name": 'a"b'}, {"name": ""}, {"per": "x"}, {"unit": "eur"}, {"amount": "1e400"}):
        with pytest.raises(UserError):
            add_budget(eve, **(fields | wrong))

    with pytest.raises(UserError, match="there is no budget 'none'"):
        set_limit(eve, "none", "1", "x")
    assert settings_file.read_text() == text


def test_a_budget_of_the_policy_is_changed_there(asking_as, settings_file):
    (settings_file.parent / "policy.toml").write_text('[[budget]]\nname = "policy"\nper = "day"\nlimit_usd = 5\n')
    eve = asking_as("eve")
    with pytest.raises(UserError, match=r"policy\.toml"):
        set_limit(eve, "policy", "1", version(eve, "policy"))
