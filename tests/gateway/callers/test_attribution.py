import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modicum.calls import Owner
from modicum.gateway.callers.attribution import MOST_CHARACTERS, MOST_TAGS, attribution
from modicum.providers.dialects import DIALECTS
from modicum.providers.facts import RequestFacts

FACTS = RequestFacts(model="gpt-4o-mini")


def test_our_own_headers_say_it():
    headers = {
        b"x-modicum-task": b"PR-1",
        b"x-modicum-agent": b"coder",
        b"x-modicum-tag-run": b"7",
        b"x-modicum-step": b"3",
    }

    about = attribution(headers, FACTS, Owner(key="ci"))

    assert (about.task, about.agent, about.tags) == ("PR-1", "coder", {"run": "7", "step": "3"})


def test_a_turn_of_a_team_is_told_by_its_headers():
    headers = {
        b"x-modicum-run": b"r1",
        b"x-modicum-round": b"2",
        b"x-modicum-agent": b"critic",
        b"x-modicum-parent": b"a",
    }

    assert attribution(headers, FACTS, Owner()).tags == {"run": "r1", "round": "2", "parent": "a"}


@pytest.mark.parametrize(
    ("written", "agent"),
    [(b"researcher@team", "researcher"), (b"%C3%A4rger@t", "\u00e4rger"), (b"a81f", "a81f"), (b"@", "")],
)
def test_a_member_of_a_team_has_the_name_that_its_client_says(written, agent):
    assert attribution({b"x-claude-code-agent-id": written}, FACTS, Owner()).agent == agent


def test_usual_names_are_understood_and_ours_come_first():
    headers = {b"helicone-session-id": b"other", b"x-modicum-task": b"ours", b"helicone-user-id": b"ann"}

    about = attribution(headers, FACTS, Owner())

    assert (about.task, about.owner.user) == ("ours", "ann")


def test_metadata_says_what_headers_do_not():
    facts = RequestFacts(
        model="m", metadata={"task_id": "T", "feature": "search", "color": "red"}, user="bob", session="s"
    )

    about = attribution({b"x-task-id": b"H"}, facts, Owner())

    assert (about.task, about.conversation, about.owner.user) == ("H", "", "bob")
    assert about.tags == {"feature": "search", "color": "red"}


@pytest.mark.parametrize(
    ("user_ids", "user"),
    [
        (["user_5f3a_account__session_1", "user_5f3a_account__session_2"], "user_5f3a_account_"),
        (
            [
                '{"device_id": "d", "account_uuid": "a-1", "session_id": "1"}',
                '{"device_id": "d", "account_uuid": "a-1", "session_id": "2"}',
            ],
            "a-1",
        ),
        (['{"device_id": "d", "account_uuid": "", "session_id": "1"}'], "d"),
        (["ann"], "ann"),
        (['{"account_uuid": "a', '{"session_id": "1"}'], ""),
    ],
)
def test_the_sessions_of_one_person_are_one_user(user_ids, user):
    for user_id in user_ids:
        body = {"model": "claude-x", "max_tokens": 5, "messages": [], "metadata": {"user_id": user_id}}
        facts = DIALECTS["anthropic-messages"].request(json.dumps(body).encode(), "/v1/messages")

        about = attribution({}, facts, Owner())

        assert about.owner.user == user
        assert user_id == user or user_id not in str(about)


def test_a_header_names_the_user_before_the_agents_own_field():
    facts = RequestFacts(model="claude-x", user="a-1")

    assert attribution({b"x-modicum-user": b"ann"}, facts, Owner()).owner.user == "ann"


def test_a_caller_cannot_spend_as_somebody_else():
    about = attribution({b"x-modicum-team": b"rich", b"x-modicum-user": b"eve"}, FACTS, Owner(team="poor", key="k"))

    assert (about.owner.team, about.owner.user, about.owner.key) == ("poor", "eve", "k")


@pytest.mark.parametrize(
    ("headers", "task", "conversation", "agent", "parent"),
    [
        ({b"x-claude-code-session-id": b"s1"}, "s1", "", "", None),
        (
            {
                b"x-claude-code-session-id": b"s1",
                b"x-claude-code-agent-id": b"a2",
                b"x-claude-code-parent-agent-id": b"a1",
            },
            "s1",
            "",
            "a2",
            "a1",
        ),
        ({b"session_id": b"s1", b"conversation_id": b"c1"}, "s1", "c1", "", None),
        (
            {
                b"session-id": b"s1",
                b"thread-id": b"t2",
                b"x-codex-parent-thread-id": b"t1",
                b"x-openai-subagent": b"review",
            },
            "s1",
            "t2",
            "review",
            "t1",
        ),
        ({b"x-session-id": b"child", b"x-parent-session-id": b"root"}, "root", "", "child", None),
        ({b"x-modicum-task": b"PR-1", b"session-id": b"s1"}, "PR-1", "", "", None),
        ({b"thread-id": b"t1"}, "t1", "t1", "", None),
        ({b"x-new-agent-session-id": b"s1"}, "s1", "", "", None),
    ],
)
def test_a_session_is_the_task_where_nothing_more_explicit_is_said(headers, task, conversation, agent, parent):
    about = attribution(headers, FACTS, Owner())

    assert (about.task, about.conversation, about.agent) == (task, conversation, agent)
    assert about.tags.get("parent") == parent


def test_the_dialects_own_session_is_the_task_too():
    about = attribution({}, RequestFacts(model="m", session="s1"), Owner())

    assert (about.task, about.conversation) == ("s1", "")


TRACE = b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def test_the_callers_trace_is_kept_and_what_is_none_is_not():
    assert attribution({b"traceparent": TRACE}, FACTS, Owner()).tags == {"traceparent": TRACE.decode()}
    assert attribution({b"traceparent": b"my secret"}, FACTS, Owner()).tags == {}


@given(st.dictionaries(st.binary(), st.binary()))
def test_whatever_stands_there_is_printable_and_bounded(values):
    headers = {b"x-modicum-tag-" + name: value for name, value in values.items()} | {
        b"x-modicum-task": b"".join(values)
    }

    about = attribution(headers, FACTS, Owner())

    assert len(about.tags) <= MOST_TAGS
    for text in (about.task, *about.tags, *about.tags.values()):
        assert text.isprintable()
        assert len(text) <= MOST_CHARACTERS


def test_a_caller_cannot_say_what_was_seen_in_its_call():
    headers = {b"x-modicum-tag-seen.email": b"99", b"x-modicum-tag-seen": b"all", b"x-modicum-tag-mine": b"1"}

    about = attribution(headers, RequestFacts(model="m", metadata={"seen.jwt": "5"}), Owner())

    assert about.tags == {"mine": "1"}
