"""A hard stop in the middle of an agent's work: between two calls, never within one, and with a reserve to end it."""

import json

import httpx2 as httpx
import pytest

from gateway.budgets.budget_rig import LEFT, MESSAGES, with_budgets
from gateway.scripted import MODELS, PATHS, chunk, events
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
