import json

import httpx2 as httpx

from modicum.calls import Owner
from modicum.calls.change import NO_CHANGE, Change
from modicum.calls.rule import NetSaving, Rule, Safety
from modicum.gateway.chosen_rules import ChosenRules, arm_tags, split_rules
from modicum.optimizers.rule_choice import HELD_OUT_TAG, ON_TRIAL_TAG, OwnerChoice, RuleChoice

BODY = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "hello there"}]}


def shorten(prompt, facts):
    place = len(prompt.units) - 1
    return NO_CHANGE if prompt.units[place].text == "hi" else Change(replaced={place: "hi"}, why="short")


CUT = Rule("toy.cut", shorten, Safety.LOSSY, weigh=lambda *_: NetSaving(1, 0, None, is_certain=True))


def call(rig, choice, **headers):
    pipeline = rig.gateway.pipeline
    pipeline.take_over(pipeline.in_force._replace(sources=(ChosenRules(choice),)))
    before = len(rig.records())
    assert httpx.post(f"{rig.url}/v1/chat/completions", json=BODY, headers=rig.headers(**headers)).status_code == 200
    record = rig.wait_for_records(before + 1)[-1]
    return json.loads(rig.provider.asked[-1][2])["messages"][0]["content"], record


def test_a_rule_runs_where_it_was_chosen_and_its_edit_is_booked(fresh_rig):
    assert call(fresh_rig, RuleChoice((CUT,)))[0] == "hello there"

    sent, record = call(fresh_rig, RuleChoice((CUT,), (OwnerChoice(on=("toy",)),)))
    assert sent == "hi"
    assert [edit.rule for edit in record.edits] == ["toy.cut"]


def test_held_out_tasks_go_on_as_they_came_and_say_so(fresh_rig):
    choice = RuleChoice((CUT,), (OwnerChoice(on=("toy",)),), 0.5, lambda _, task: 0.1 if task == "t1" else 0.9)

    sent, record = call(fresh_rig, choice, **{"x-modicum-task": "t1"})
    assert sent == "hello there"
    assert record.tags[HELD_OUT_TAG] == "toy.cut"
    sent, record = call(fresh_rig, choice, **{"x-modicum-task": "t2"})
    assert sent == "hi"
    assert HELD_OUT_TAG not in record.tags
    assert record.tags[ON_TRIAL_TAG] == "toy.cut"


def test_rules_of_features_are_nobodys_choice():
    feature = Rule("team_plan.hide", shorten)

    assert split_rules((feature, CUT)) == ((feature,), (CUT,))
    assert RuleChoice((CUT,)).of_owner(Owner()) == ()


def test_features_have_arms_where_they_may_act_and_tags_of_others_stay(fresh_rig):
    choice = RuleChoice((), (), 0.5, lambda *_: 0.1, lambda _: ("keep_warm", "cache.beginnings"))

    record = call(fresh_rig, choice, **{"x-modicum-task": "t1", "x-modicum-tag-rules.held_out": "forged"})[1]

    assert record.tags[HELD_OUT_TAG] == "cache.beginnings"  # this API has no pings
    assert arm_tags({HELD_OUT_TAG: "a"}, {"b"}, {"c"}) == {HELD_OUT_TAG: "a,b", ON_TRIAL_TAG: "c"}
