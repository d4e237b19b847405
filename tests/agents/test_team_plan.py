from datetime import date

import msgspec
import pytest

from agents.teams import plan
from modicum.agents.plan_rules import Binding, Drop, EarlyExit, EdgeKind, Mute, Substitute, digest_text
from modicum.agents.team_plan import encode_plan, read_plan
from modicum.calls import UserError
from modicum.experiments.canary import CanaryWatch


def test_a_plan_survives_the_way_through_its_file():
    full = plan(
        rounds=2,
        drop=["a", ("b", 2)],
        mute=(Mute(source="b", reader="c", kind=EdgeKind.SPATIAL, round=1),),
        early_exit=EarlyExit(agree=2, of=3, first=("c",)),
        substitute=(Substitute(agent="c", model="small"),),
        bound_to=Binding(prompts={"a": digest_text("be brief")}),
        expires="2030-01-31",
    )

    assert read_plan(encode_plan(full), "plan.json") == full
    assert '"from": "b"' in encode_plan(full)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"schema": "team-plan/9"}, "schema is 'team-plan/9'"),
        ({"drop": (Drop(agent="x"),)}, "drop names 'x', who is not in agents"),
        ({"drop": (Drop(agent="a", round=3),)}, r"round 3 is not in 1\.\.2"),
        ({"drop": (Drop(agent="a", round=0),)}, "count from 1"),
        ({"drop": (Drop(agent="a"),), "protect": ("a",)}, "'a', who is protected"),
        ({"drop": (Drop("a"), Drop("b"), Drop("c", round=2))}, "nobody is left in round 2"),
        ({"mute": (Mute("x", "a"),)}, "mute names 'x'"),
        ({"early_exit": EarlyExit(agree=4, of=3)}, "must be 2 <= agree <= of"),
        ({"early_exit": EarlyExit(agree=2, of=2, first=("a", "b", "c"))}, "more agents than 'of'"),
        ({"early_exit": EarlyExit(agree=2, of=3, first=("a", "a"))}, "names an agent twice"),
        ({"canary_share": 2.0}, "canary_share is 2.0"),
        ({"expires": "soon"}, "not a date"),
        ({"agents": ("a", "a", "b")}, r"plan\.json:\d+: agents: agent 'a' is named twice"),
        ({"agents": ("a", "b\nc")}, "control character"),
        ({"rounds": 10**9}, r"plan\.json:\d+: rounds is 1000000000, not a number in 1\.\.1000"),
    ],
)
def test_a_plan_that_contradicts_itself_is_refused_with_the_place(change, says):
    text = encode_plan(msgspec.structs.replace(plan(rounds=2), **change))

    with pytest.raises(UserError, match=says):
        read_plan(text, "plan.json")


@pytest.mark.parametrize(
    "text", ["", "[]", '{"schema":"team-plan/1"}', '{"no such":1}', '{"learned":{"parameters":{"a":' + "[" * 9_999]
)
def test_what_is_no_plan_is_named(text):
    with pytest.raises(UserError, match=r"plan\.json(:1)? is no team plan"):
        read_plan(text, "plan.json")


def test_a_plan_for_another_team_is_an_error():
    with pytest.raises(UserError, match="made for another team"):
        plan().guard(agents=["a", "b"])


def test_the_full_team_runs_when_what_the_plan_rests_on_changed():
    made = plan(
        drop=["a"],
        bound_to=Binding(prompts={"b": digest_text("be brief")}, models={"c": "large"}),
        substitute=(Substitute("c", "small"),),
        expires="2026-06-30",
    )

    assert made.guard(prompts={"b": "be brief"}, models={"c": "small"}, today=date(2026, 6, 30)).full_because == ""
    assert "instructions of 'b'" in made.guard(prompts={"b": "be verbose"}).full_because
    assert "model of 'c'" in made.guard(models={"c": "other"}).full_because
    late = made.guard(today=date(2026, 7, 1))
    assert "expired" in late.full_because
    assert late.active("a")


def test_canaries_are_the_same_runs_every_time_and_as_many_as_asked_for():
    made = plan(drop=["a"], canary_share=0.2)

    canaries = [made.guard(f"run-{number}").full_because == "canary" for number in range(1000)]

    assert canaries == [made.guard(f"run-{number}").full_because == "canary" for number in range(1000)]
    assert 150 < sum(canaries) < 250


def test_a_reverted_plan_lets_everybody_speak():
    guard = plan(drop=["a"]).guard("run", watch=CanaryWatch(reverted="it did harm"))

    assert guard.full_because == "it did harm"
    assert guard.active("a")
