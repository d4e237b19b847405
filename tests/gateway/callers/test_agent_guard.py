"""Agents that start agents, through the whole gateway, as clients of today name them."""

import json

import httpx2 as httpx
import msgspec
import pytest

from gateway.rig import running, usual, wait_until
from modicum.gateway.callers.agent_guard import digest_prompt
from modicum.optimizers.running import prompt_in
from modicum.providers.dialects import DIALECTS
from modicum.settings import OptimizeSettings
from modicum.settings.governance.agent_guard import AgentGuardSettings

ROWS = (
    AgentGuardSettings(team="platform", user="deep", most_depth=1, act="block"),
    AgentGuardSettings(team="platform", user="many", most_agents=2),
    AgentGuardSettings(team="platform", user="again", recursion=True, act="block"),
    AgentGuardSettings(team="platform", user="weighed", most_depth=0, act="block", hold_out=0.5),
)


def agent_calls(task, *agents):
    """Headers of calls as four kinds of clients send them: each agent with the one that has started it."""
    ours = [{"x-modicum-task": task, "x-modicum-agent": a, "x-modicum-parent": p} for a, p in agents]
    claude = [
        {"x-claude-code-session-id": task, "x-claude-code-agent-id": a}
        | ({"x-claude-code-parent-agent-id": p} if p else {})
        for a, p in agents
    ]
    codex = [
        {
            "session-id": task,
            "thread-id": f"{task}-{a}",
            "x-openai-subagent": "collab_spawn",
            "x-codex-parent-thread-id": f"{task}-{p}" if p else task,
        }
        for a, p in agents
    ]
    opencode = [{"x-session-id": f"{task}-{a}", "x-parent-session-id": f"{task}-{p}" if p else task} for a, p in agents]
    return {"ours": ours, "claude": claude, "codex": codex, "opencode": opencode}


@pytest.fixture(scope="module")
def guarded(tmp_path_factory):
    def settings(port):
        return msgspec.structs.replace(usual()(port), agent_guard=ROWS)

    with running(tmp_path_factory.mktemp("guarded"), settings) as rig:
        rig.keys = {row.user: rig.issue_key(row.user, team="platform", user=row.user) for row in ROWS}
        rig.keys["free"] = rig.issue_key("free", team="platform", user="free")
        yield rig


def ask(rig, user, headers, words="find it"):
    body = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": words}]}
    key = {"authorization": f"Bearer {rig.keys[user]}"}
    return httpx.post(f"{rig.url}/v1/chat/completions", json=body, headers=key | headers, timeout=10)


def last_words(rig):
    return json.loads(rig.provider.asked[-1][2])["messages"][-1]["content"]


@pytest.mark.parametrize("client", ["ours", "claude", "codex", "opencode"])
def test_an_agent_below_an_agent_is_refused_where_one_level_may_be(guarded, client):
    calls = agent_calls(f"deep-{client}", ("a", ""), ("b", "a"), ("c", "b"), ("a", ""))[client]

    replies = [ask(guarded, "deep", headers) for headers in calls]

    assert [reply.status_code for reply in replies] == [200, 403, 403, 200]
    error = replies[1].json()["error"]
    assert error["code"] == "agents_too_deep"
    assert "stands at level 2 of agents that start agents, and 1 level may be" in error["message"]
    assert "level 3" in replies[2].json()["error"]["message"]
    assert [ask(guarded, "free", headers).status_code for headers in calls] == [200] * 4  # another owner


@pytest.mark.parametrize("client", ["ours", "claude", "codex", "opencode"])
def test_one_too_many_is_told_so_and_its_caller_is_not(guarded, client):
    task = f"many-{client}"
    calls = agent_calls(task, ("a", ""), ("b", ""), ("c", ""), ("b", ""))[client]

    shown = []
    for headers in calls:
        assert ask(guarded, "many", headers).status_code == 200
        shown.append(last_words(guarded))

    assert [words == "find it" for words in shown] == [True, True, False, True]
    assert "this is agent 3 of its task, and 2 agents may be. Start no agents" in shown[2]
    wait_until(lambda: [edit.rule for call in guarded.records() if task in call.task for edit in call.edits])
    edits = [edit for call in guarded.records() if task in call.task for edit in call.edits]
    assert [edit.rule for edit in edits] == ["guard.agents"]
    assert edits[0].tokens_after > edits[0].tokens_before


def test_the_prompt_of_one_above_it_again_is_recursion(guarded):
    (first, child, grandchild, other) = agent_calls("r", ("a", ""), ("b", "a"), ("c", "b"), ("d", "b"))["claude"]
    main = {"x-claude-code-session-id": "r"}

    assert ask(guarded, "again", main, "do all of it").status_code == 200
    assert ask(guarded, "again", first, "look at the tests").status_code == 200
    assert ask(guarded, "again", child, "read one").status_code == 200
    refused = ask(guarded, "again", grandchild, " look  at\nthe tests")
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "agent_recursion")
    assert ask(guarded, "again", other, "do all of it").status_code == 403


def test_calls_of_one_agent_alone_and_calls_without_a_task_are_left_alone(guarded):
    assert [ask(guarded, "deep", {}).status_code for _ in range(3)] == [200] * 3
    assert ask(guarded, "deep", {"x-modicum-agent": "b", "x-modicum-parent": "a"}).status_code == 200


def test_what_an_agent_was_given_are_the_words_before_the_first_answer():
    def digest(*messages):
        body = json.dumps({"model": "claude-opus-4-5", "max_tokens": 9, "messages": messages}).encode()
        return digest_prompt(prompt_in(DIALECTS["anthropic-messages"], body))

    reminder = {"type": "text", "text": "<system-reminder>today is Monday</system-reminder>"}
    plain = digest({"role": "user", "content": "find it"})

    assert plain == digest({"role": "user", "content": [reminder, {"type": "text", "text": "find \n it"}]})
    assert plain == digest(
        {"role": "user", "content": "find it"},
        {"role": "assistant", "content": "ok"},
        {"role": "user", "content": "and more"},
    )
    assert plain != digest({"role": "user", "content": "find them"})
    assert digest({"role": "user", "content": [reminder]}) == digest() == b""
    assert digest(None) == b""  # no request that anybody can read


def test_an_agent_that_sends_what_nobody_can_read_is_placed_all_the_same(guarded):
    (first, second) = agent_calls("odd", ("a", ""), ("b", "a"))["claude"]
    key = {"authorization": f"Bearer {guarded.keys['again']}"}
    for headers in (first, second):
        body = b'{"model":"gpt-4o-mini","messages":[{"role":"user","content":"\\ud800"}]}'
        sent = key | headers | {"content-type": "application/json"}
        httpx.post(f"{guarded.url}/v1/chat/completions", content=body, headers=sent, timeout=10)

    metrics = httpx.get(f"{guarded.url}/metrics").text
    assert 'stage="agent_guard"' not in metrics


def test_a_task_that_is_held_out_is_left_alone_and_says_so(guarded):
    statuses = {}
    for number in range(6):
        headers = agent_calls(f"weighed-{number}", ("a", ""))["ours"][0]
        statuses[f"weighed-{number}"] = ask(guarded, "weighed", headers).status_code

    assert set(statuses.values()) == {200, 403}
    passed = {task for task, status in statuses.items() if status == 200}
    wait_until(lambda: passed <= {call.task for call in guarded.records()})
    arms = {call.task: call.tags.get("rules.held_out") for call in guarded.records() if call.task in statuses}
    assert arms == dict.fromkeys(passed, "guard.agents")


def test_the_one_switch_rests_the_guard_too(tmp_path):
    def settings(port):
        rows = (AgentGuardSettings(most_depth=0, act="block"),)
        off = OptimizeSettings(enabled=False)
        return msgspec.structs.replace(usual()(port), agent_guard=rows, optimize=off)

    with running(tmp_path / "off", settings) as rig:
        assert not rig.gateway.parts.agents.is_active
