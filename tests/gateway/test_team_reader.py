"""What a reader is shown. Whole calls are in test_team_rule.py; here is what may never happen, whatever is asked."""

import json

from hypothesis import given
from hypothesis import strategies as st

from gateway.team_rig import AGENTS, plan
from modicum.agents.team_plan import encode_plan
from modicum.gateway.team_plans import Team
from modicum.gateway.team_reader import Reader
from modicum.gateway.team_runs import Run
from modicum.providers.dialects import DIALECTS
from modicum.providers.prompt import GO_ON
from modicum.settings import TeamSettings

TASK = {"role": "user", "content": "the task"}


def reader(a_plan, agent="judge", *, parent="", silenced=(), said=(), **settings):
    team = Team("support", TeamSettings(plan="plan.json", **settings), a_plan, encode_plan(a_plan), "plan.json")
    run = Run(a_plan.guard("r"))
    run.silenced |= set(silenced)
    for name, text in said:
        run.said(name, text)
    return Reader(team, run, agent, parent)


def shown(a_reader, *messages, dialect="openai-chat"):
    """The texts that are left; None where the prompt stays as it is."""
    place = "input" if dialect == "openai-responses" else "messages"
    body = a_reader.may_read(DIALECTS[dialect].prompt(json.dumps({place: list(messages)}).encode()), 1)
    return None if body is None else [message["content"] for message in json.loads(body)[place]]


def user(text):
    return {"role": "user", "content": text}


def test_of_two_that_said_the_same_the_parent_is_meant():
    said = [("planner", "B"), ("critic", "B")]
    muted = plan(mute=[("planner", "judge")])

    assert shown(reader(muted, said=said), TASK, user("B")) is None
    assert shown(reader(muted, said=said, parent="planner"), TASK, user("B")) == ["the task"]
    assert shown(reader(muted, said=said, parent="critic"), TASK, user("B")) is None


def test_a_person_who_says_what_an_agent_said_first_is_heard():
    muted = plan(mute=[("planner", "judge")])

    assert shown(reader(muted, said=[("planner", "the task")]), TASK, user("more")) is None


def test_a_usual_mark_is_believed_only_with_words_that_passed_here():
    muted = plan(mute=[("planner", "judge")])
    a_reader = reader(muted, said=[("planner", "do this")])

    assert shown(a_reader, TASK, user("**Planner**: do this")) == ["the task"]
    assert shown(a_reader, TASK, user("planner: a person wrote this")) is None


def test_empty_replies_of_others_than_the_silenced_stay():
    a_plan = plan(drop=["critic"])
    empty = {"role": "assistant", "name": "planner", "content": ""}

    assert shown(reader(a_plan), TASK, user("")) is None
    assert shown(reader(a_plan, silenced=["critic"]), TASK, empty) is None
    assert shown(reader(a_plan, silenced=["critic"]), TASK, user(" ")) == ["the task"]
    assert shown(reader(a_plan, agent="critic", silenced=["critic"]), TASK, empty | {"name": "critic"}) == ["the task"]


def test_words_that_we_give_are_known_after_a_restart():
    a_plan = plan(drop=["critic"])

    assert shown(reader(a_plan), TASK, user("(nothing to add)"), dialect="anthropic-messages") == ["the task"]
    assert shown(reader(a_plan, reply="pass"), TASK, user("[critic]: pass")) == ["the task"]
    assert shown(reader(a_plan, reply="pass", silenced=["critic"]), TASK, user("")) is None


names = st.sampled_from([*AGENTS, "a person", ""])
texts = st.sampled_from(["", "B", "the task", "critic: ", "[planner] do this", "do this", "None."])
dialects = st.sampled_from(["openai-chat", "anthropic-messages", "openai-responses"])


@st.composite
def prompts(draw):
    messages = []
    for place in range(draw(st.integers(1, 8))):
        role = draw(st.sampled_from(["system", "user", "assistant", "tools"]))
        if role == "tools":
            call = {"id": f"c{place}", "type": "function", "function": {"name": "f", "arguments": "{}"}}
            messages.append({"role": "assistant", "name": draw(names), "content": None, "tool_calls": [call]})
            messages.append({"role": "tool", "tool_call_id": f"c{place}", "content": "found"})
        else:
            messages.append({"role": role, "name": draw(names), "content": draw(texts)})
    return messages


@given(
    prompts(),
    dialects,
    st.sets(st.sampled_from(["planner", "critic"])),
    st.sets(st.tuples(st.sampled_from(AGENTS), st.sampled_from(AGENTS))),
    st.sets(st.tuples(st.sampled_from(AGENTS), texts)),
    st.sampled_from(AGENTS),
)
def test_no_conversation_is_emptied_no_result_orphaned_nothing_invented(messages, dialect, drop, mute, said, agent):
    mute = [(source, to) for source, to in mute if source != "judge"]
    a_plan = plan(drop=sorted(drop), mute=mute, protect=("judge",))
    a_reader = reader(a_plan, agent, silenced=drop, said=said, marks=("[{agent}] ",))
    place = "input" if dialect == "openai-responses" else "messages"
    body = a_reader.may_read(DIALECTS[dialect].prompt(json.dumps({place: messages}).encode()), 1)
    if body is None:
        return
    left = json.loads(body)[place]

    assert any(message["role"] != "system" for message in left)
    assert [message for message in messages if message["role"] == "system"] == [
        message for message in left if message["role"] == "system"
    ]
    waiting = iter(messages)
    assert all(message in waiting for message in left if message["content"] != GO_ON)
    if dialect == "openai-chat":
        behind_the_task = [message for message in left if message["role"] != "system"][1:]
        assert not {one["name"] for one in behind_the_task if one["role"] == "assistant"} & drop - {agent}
        calls = {call["id"] for message in left for call in message.get("tool_calls", ())}
        assert calls == {message["tool_call_id"] for message in left if message["role"] == "tool"}
        protected = [message for message in messages if message.get("name") == "judge"]
        assert all(message in left for message in protected)
