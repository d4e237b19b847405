"""What a reader is shown. Whole calls are in gateway/teams/test_turns.py; here is what may never happen."""

import json
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from gateway.team_rig import AGENTS, plan
from modicum.agents.turn import TeamTurn, digest_saying
from modicum.agents.turn_rules import ask_cheaper_model, hide_messages
from modicum.calls.change import NO_CHANGE, DoesNotFit
from modicum.calls.facts import Facts
from modicum.calls.prompt import Prompt
from modicum.providers.dialects import DIALECTS
from modicum.providers.prompt import GO_ON

TASK = {"role": "user", "content": "the task"}


def reader(a_plan, agent="judge", *, silenced=(), said=(), **more):
    said_by = {}
    for name, text in said:
        if text.strip():
            said_by[digest_saying(text)] = said_by.get(digest_saying(text), frozenset()) | {name}
    empty = frozenset(one.empty_text for one in DIALECTS.values() if one.empty_text)
    turn = {"plan": a_plan, "agent": agent, "round": 1, "silenced": frozenset(silenced), "said_by": said_by}
    return TeamTurn(**turn, empty_texts=empty, **more)


def facts(*turns, **more):
    return Facts(**{"at": datetime.now(UTC), "model": "gpt-4o", "features": turns} | more)


def left(turn, body, dialect):
    """The request that is sent; None where it stays as it is."""
    prompt = DIALECTS[dialect].prompt(body)
    change = hide_messages(prompt, facts(turn))
    try:
        return None if change.is_nothing else prompt.write(change)
    except DoesNotFit:
        return None


def shown(turn, *messages, dialect="openai-chat"):
    """The texts that are left; None where the prompt stays as it is."""
    place = "input" if dialect == "openai-responses" else "messages"
    body = left(turn, json.dumps({place: list(messages)}).encode(), dialect)
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
    body = left(a_reader, json.dumps({place: messages}).encode(), dialect)
    if body is None:
        return
    sent = json.loads(body)[place]

    assert any(message["role"] != "system" for message in sent)
    assert [message for message in messages if message["role"] == "system"] == [
        message for message in sent if message["role"] == "system"
    ]
    waiting = iter(messages)
    assert all(message in waiting for message in sent if message["content"] != GO_ON)
    if dialect == "openai-chat":
        behind_the_task = [message for message in sent if message["role"] != "system"][1:]
        assert not {one["name"] for one in behind_the_task if one["role"] == "assistant"} & drop - {agent}
        calls = {call["id"] for message in sent for call in message.get("tool_calls", ())}
        assert calls == {message["tool_call_id"] for message in sent if message["role"] == "tool"}
        protected = [message for message in messages if message.get("name") == "judge"]
        assert all(message in sent for message in protected)


def test_where_the_full_team_runs_only_replies_of_ours_go_out():
    full = reader(plan(drop=["critic"], mute=[("planner", "judge")]), silenced=["critic"], full_because="canary")
    messages = TASK, {"role": "assistant", "name": "planner", "content": "yes"}, {"role": "user", "content": ""}

    assert shown(full, *messages) == ["the task", "yes"]
    prompt = DIALECTS["openai-chat"].prompt(json.dumps({"messages": messages}).encode())
    assert hide_messages(prompt, facts(full)).why == ""  # it undoes what we did: no edit is booked
    assert hide_messages(prompt, facts(reader(plan(), full_because="canary"))) is NO_CHANGE


def test_calls_that_are_no_turns_are_not_even_taken_apart():
    nobody_looked = Prompt(None, "a test")

    assert hide_messages(nobody_looked, facts()) is NO_CHANGE
    assert ask_cheaper_model(nobody_looked, facts()) is NO_CHANGE


def test_the_model_that_the_plan_names_is_asked():
    turn = reader(plan(), model="gpt-4o-mini")
    change = ask_cheaper_model(Prompt(None), facts(turn))

    assert (change.model, change.why) == ("gpt-4o-mini", "gpt-4o to gpt-4o-mini")
    assert ask_cheaper_model(Prompt(None), facts(turn, model="gpt-4o-mini")) is NO_CHANGE
