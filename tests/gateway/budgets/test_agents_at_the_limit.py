"""A hard stop in the middle of an agent's work: between two calls, never within one, and with a reserve to end it."""

import json
import re

import httpx2 as httpx
import pytest

from gateway.budgets.budget_rig import LEFT, MESSAGES, chat_reply, with_budgets
from gateway.scripted import MODELS, PATHS, chunk, events
from modicum.gateway.budgets.replies import MOST_LINE_TOKENS
from modicum.settings import StateSettings
from state.server import running_server

CALL = {"id": "call_1", "type": "function", "function": {"name": "weigh", "arguments": "{}"}}
CALLED = {"role": "assistant", "content": None, "tool_calls": [CALL]}
RESULT = {"role": "tool", "tool_call_id": "call_1", "content": "3 kg"}
WITH_RESULT = [*MESSAGES, CALLED, RESULT]


@pytest.fixture(scope="module")
def server():
    with running_server() as server:
        yield server


@pytest.fixture(params=["memory", "redis"])
def state(request, monkeypatch):
    monkeypatch.setattr("modicum.state.redis.GRACE_S", 0.5)
    return StateSettings() if request.param == "memory" else StateSettings(redis=request.getfixturevalue("server").url)


def test_the_reserve_is_for_calls_with_results_of_tools_and_ends_at_the_limit(tmp_path, state):
    with with_budgets(tmp_path, {"limit_calls": 5, "emergency_reserve": 0.4, "per": "ever"}, state=state) as rig:
        fresh = [rig.chat() for _ in range(4)]
        goes_on = [rig.chat(messages=WITH_RESULT) for _ in range(3)]
        other = rig.chat()

        assert [reply.status_code for reply in fresh] == [200, 200, 200, 402]
        assert [reply.status_code for reply in goes_on] == [200, 200, 402]
        assert fresh[0].headers[LEFT] == "all; calls=2"
        assert goes_on[0].headers[LEFT] == "all; calls=1"
        assert "5 calls per ever, 2 calls of it only for calls with results of tools" in fresh[3].text
        assert "only for calls" not in goes_on[2].text
        assert other.status_code == 402
        assert len(rig.asked) == 5


QUESTION = {"role": "user", "content": "What does it weigh?"}
IN_DIALECT = {
    "anthropic": [
        QUESTION,
        {"role": "assistant", "content": [{"type": "tool_use", "id": "toolu_1", "name": "weigh", "input": {}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_1", "content": "3 kg"}]},
    ],
    "responses": [
        QUESTION,
        {"type": "function_call", "call_id": "call_1", "name": "weigh", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "call_1", "output": "3 kg"},
    ],
}


@pytest.mark.parametrize("dialect", list(IN_DIALECT))
def test_results_of_tools_are_seen_in_every_dialect(tmp_path, dialect):
    place = "messages" if dialect == "anthropic" else "input"
    with with_budgets(tmp_path, {"limit_calls": 2, "emergency_reserve": 0.5}) as rig:

        def status(messages):
            body = {"model": MODELS[dialect], "max_tokens": 10, place: messages}
            return httpx.post(f"{rig.url}{PATHS[dialect]}", json=body, headers=rig.headers(), timeout=20).status_code

        statuses = [status(messages) for messages in ([QUESTION], [QUESTION], IN_DIALECT[dialect])]

        assert statuses == [200, 402, 200]


def test_a_call_of_a_tool_that_has_begun_comes_whole_although_it_uses_the_budget_up(tmp_path):
    arguments = json.dumps({"of": "x" * 400})
    pieces = [
        chunk({"tool_calls": [{"index": 0, "id": "call_1", "function": {"name": "weigh", "arguments": ""}}]}),
        *(
            chunk({"tool_calls": [{"index": 0, "function": {"arguments": arguments[at : at + 40]}}]})
            for at in range(0, len(arguments), 40)
        ),
    ]
    with with_budgets(tmp_path, {"limit_calls": 1}) as rig:
        rig.answers = events(*pieces)
        reply = rig.chat(stream=True)
        streamed = [json.loads(line[6:]) for line in reply.text.splitlines() if line.startswith("data: {")]
        calls = [choice["delta"]["tool_calls"][0] for one in streamed for choice in one["choices"]]

        assert "".join(call["function"]["arguments"] for call in calls) == arguments
        assert rig.chat().status_code == 402


def agent_says(rig, dialect, **more):
    """One step of an agent, which hands over a tool's result; what it gets, and with what its prompt came upstream."""
    place, messages = ("input" if dialect == "responses" else "messages"), IN_DIALECT.get(dialect, WITH_RESULT)
    body = {"model": MODELS[dialect], "max_tokens": 10, place: messages} | more
    reply = httpx.post(f"{rig.url}{PATHS[dialect]}", json=body, headers=rig.headers(), timeout=20)
    sent = rig.asked[-1]
    last = sent[place][-1]
    content = last.get("content", last.get("output"))
    return reply, sent == body, content if isinstance(content, str) else content[-1].get("text", "")


@pytest.mark.parametrize("dialect", ["openai-chat", "anthropic", "responses"])
def test_a_line_shows_the_agent_what_is_left_once_that_is_little(tmp_path, dialect, state):
    line = f"[modicum: budget '{dialect}': {{}} of 4 calls left.]"
    budget = {"name": dialect, "limit_calls": 4, "agent_line_below": 0.6, "per": "ever"}
    with with_budgets(tmp_path, budget, state=state) as rig:
        replies, untouched, last = zip(*[agent_says(rig, dialect) for _ in range(4)], strict=True)

        assert untouched == (True, True, False, False)
        assert [text.rpartition("\n")[2] for text in last[2:]] == [line.format("2 calls"), line.format("1 call")]
        assert {reply.content for reply in replies} == {rig.answers.body}


@pytest.mark.parametrize("dialect", ["openai-chat", "anthropic", "responses"])
def test_nobody_who_has_not_chosen_it_is_shown_a_line(tmp_path, dialect):
    with with_budgets(tmp_path, {"limit_calls": 2}) as rig:
        assert [agent_says(rig, dialect)[1] for _ in range(2)] == [True, True]


def test_the_line_is_reserved_and_on_record_and_streams_of_tool_calls_come_whole(tmp_path):
    call = {"index": 0, "id": "call_1", "function": {"name": "weigh", "arguments": "{}"}}
    usage = {"prompt_tokens": 60, "completion_tokens": 5, "total_tokens": 65}
    streamed = events(chunk({"tool_calls": [call]}), chunk(finish="tool_calls", usage=usage), done=True)
    with with_budgets(tmp_path, {"limit_usd": 1.0, "agent_line_below": 1.0}, {"name": "b", "limit_usd": 2.0}) as rig:
        rig.answers = chat_reply()
        first = agent_says(rig, "openai-chat")
        rig.answers = streamed
        reply, _, last = agent_says(rig, "openai-chat", stream=True, stream_options={"include_usage": True})
        entries = rig.ledger.entries()

    assert first[1]  # all is left
    assert re.search(
        r"\n\n\[modicum: budget 'all': \$0\.99999\d of \$1\.00 left until \d{4}-\d\d-\d\d 00:00 UTC\.\]$", last
    )
    assert reply.content == streamed.body
    ((edit,),) = [entry.call.edits for entry in entries if entry.call.edits]
    assert edit.rule == "budget.line"
    assert 10 < edit.tokens_after - edit.tokens_before < MOST_LINE_TOKENS


def test_a_line_that_has_no_place_costs_its_call_nothing(tmp_path):
    prefilled = [*MESSAGES, {"role": "assistant", "content": "It is"}]
    with with_budgets(tmp_path, {"limit_calls": 2, "agent_line_below": 1.0}) as rig:
        rig.chat()
        reply = rig.chat(messages=prefilled)

        assert reply.status_code == 200
        assert rig.asked[-1]["messages"] == prefilled


def test_where_the_provider_does_not_count_the_line_is_counted_too(tmp_path):
    with with_budgets(tmp_path, {"limit_usd": 1.0, "agent_line_below": 1.0}) as rig:
        rig.answers = events(chunk({"content": "Heavy"}), chunk(finish="stop"), done=True)
        untouched = [agent_says(rig, "openai-chat", stream=True)[2] == RESULT["content"] for _ in range(2)]
        entries = rig.ledger.entries()

    assert untouched == [True, False]
    plain, lined = sorted(entries, key=lambda entry: entry.call.started)
    (edit,) = lined.call.edits
    more = lined.call.usage.input_uncached - plain.call.usage.input_uncached
    assert more == edit.tokens_after - edit.tokens_before > 0
