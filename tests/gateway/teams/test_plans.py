from datetime import UTC, date, datetime, timedelta

import pytest

from gateway.team_rig import plan
from modicum.agents.team_plan import encode_plan
from modicum.calls import UserError
from modicum.experiments.canary import CanaryWatch
from modicum.gateway.teams.plans import TeamPlans, read_team
from modicum.settings import Settings, TeamSettings


def settings(folder, **names):
    teams = {name: TeamSettings(plan=file) for name, file in names.items()}
    return Settings(teams=teams, file=str(folder / "modicum.toml"))


@pytest.fixture
def plans():
    return TeamPlans(lambda *_: CanaryWatch())


def test_plans_lie_beside_the_settings(tmp_path, plans):
    (tmp_path / "plan.json").write_text(encode_plan(plan(drop=["critic"])))
    plans.load(settings(tmp_path, support="plan.json"))

    assert plans.in_force["support"].plan.drop[0].agent == "critic"
    assert plans.problems == []


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("support", "sales"), r":3: made for the team 'sales', not for 'support'; accepted in \[teams.support\]"),
        (('"agents"', '"agenst"'), r":6 is no team plan: .*`agenst`; accepted are schema, team, decision"),
        (('"canary_share": 0', '"canary_share": 7'), r": canary_share is 7.*not a share in 0..1"),
        (("reduce", "guess"), r":4 is no team plan: .*'guess'"),
        ((",", "", 1), ":3 is no team plan: JSON is malformed"),
        (('"expires": null', '"expires": "2026-01-31"'), r":\d+: expired on 2026-01-31; accepted is a date from today"),
        (('"expires": null', '"expires": "someday"'), r":\d+: expires is 'someday', not a date"),
    ],
)
def test_a_wrong_plan_names_file_line_and_what_is_accepted(tmp_path, plans, change, says):
    text = encode_plan(plan(drop=["critic"]))
    assert change[0] in text
    (tmp_path / "plan.json").write_text(text.replace(*change))
    plans.load(settings(tmp_path, support="plan.json"))

    assert plans.in_force == {}
    (problem,) = plans.problems
    assert problem.startswith(str(tmp_path / "plan.json"))
    assert problem.endswith("; the plan is not applied")
    with pytest.raises(UserError, match=says):
        read_team("support", TeamSettings(plan="x"), tmp_path / "plan.json")


def test_a_plan_holds_through_its_last_day(tmp_path):
    today = datetime.now(UTC).date()
    file = tmp_path / "plan.json"
    file.write_text(encode_plan(plan(expires="2026-06-30")))

    assert read_team("support", TeamSettings(plan="x"), file, date(2026, 6, 30)).plan.expires == "2026-06-30"
    with pytest.raises(UserError, match="expired"):
        read_team("support", TeamSettings(plan="x"), file, today + timedelta(days=9_999))


def test_a_file_that_is_not_there_is_told(tmp_path, plans):
    plans.load(settings(tmp_path, support="nowhere.json"))

    assert "teams.support.plan: " in plans.problems[0]
    assert "cannot be read: No such file" in plans.problems[0]


def test_what_did_not_change_stays_the_same_and_what_did_is_read_again(tmp_path, plans):
    for name in ("support", "sales"):
        (tmp_path / f"{name}.json").write_text(encode_plan(plan(team=name)))
    plans.load(settings(tmp_path, support="support.json", sales="sales.json"))
    before = dict(plans.in_force)

    assert not plans.reload_changed()
    (tmp_path / "sales.json").write_text(encode_plan(plan(team="sales", drop=["critic"])))
    assert plans.reload_changed()
    assert plans.in_force["support"] is before["support"]
    assert plans.in_force["sales"] is not before["sales"]
    (tmp_path / "sales.json").write_text("{")
    assert plans.reload_changed()
    assert list(plans.in_force) == ["support"]
    (tmp_path / "sales.json").unlink()
    assert plans.reload_changed()
    assert "cannot be read" in plans.problems[0]


def test_the_answer_is_the_last_that_fits_the_pattern(tmp_path):
    file = tmp_path / "plan.json"
    file.write_text(encode_plan(plan()))
    team = read_team("support", TeamSettings(plan="x", answer=r"ANSWER: (\w+)"), file)

    assert team.answer_in("ANSWER: a ... no, ANSWER: b") == "b"
    assert team.answer_in("nothing") is None
    assert read_team("support", TeamSettings(plan="x"), file).answer_in("all of it") == "all of it"
