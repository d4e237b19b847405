import asyncio

import pytest

pytest.importorskip("ag2.middleware", reason="scripts/test-frameworks runs this")

from ag2 import Agent, MemoryStream
from ag2.events import ModelMessage, ModelRequest, ModelResponse, TextInput, Usage
from ag2.middleware import BaseMiddleware
from ag2.testing import TestConfig

from modicum.agents.plan_rules import EarlyExit
from modicum.agents.recorder import TeamRecorder
from modicum.agents.team_plan import full_team_guard
from modicum.sdk.ag2 import PlannedAgents, author_of, text_of
from sdk.plans import plan, run_example

NAMES = ("planner", "critic", "judge")


def agent(name, team, shown, line=None):
    """Its model says its line, and what it was shown is added to `shown`."""

    class Watch(BaseMiddleware):
        async def on_llm_call(self, call_next, events, context):
            shown[name] = [part.content for event in events if isinstance(event, ModelRequest) for part in event.parts]
            return await call_next(events, context)

    reply = ModelResponse(ModelMessage(line or f"{name} says"), usage=Usage(prompt_tokens=10, completion_tokens=5))
    middleware = [team.middleware(name), Watch]
    return Agent(name, f"be the {name}", config=TestConfig(*[reply] * 9), middleware=middleware)


def discuss(team, names=NAMES, *, rounds=1, lines=None):
    """Each in its turn, with what was said before as messages of their own, marked as the network's views mark them."""
    shown, history = {}, [ModelRequest([TextInput("[person]: the task")])]

    async def conversation():
        agents = {name: agent(name, team, shown, (lines or {}).get(name)) for name in team.speakers(names)}
        for _ in range(rounds):
            for name, one in agents.items():
                stream = MemoryStream()
                await stream.history.replace(history[:-1])
                reply = await one.ask(*history[-1].parts, stream=stream)
                history.append(ModelRequest([TextInput(f"[{name}]: {reply.body}")]))

    asyncio.run(conversation())
    return [event.parts[0].content for event in history], shown


def test_a_dropped_agent_is_no_speaker():
    said, shown = discuss(PlannedAgents(plan(NAMES, drop=[("critic", None)]).guard("r")))

    assert said[1:] == ["[planner]: planner says", "[judge]: judge says"]
    assert shown["judge"] == ["[person]: the task", "[planner]: planner says"]


def test_a_muted_edge_hides_one_author_from_one_reader():
    _, shown = discuss(PlannedAgents(plan(NAMES, mute=[("planner", "judge")]).guard("r")))

    assert shown["critic"] == ["[person]: the task", "[planner]: planner says"]
    assert shown["judge"] == ["[person]: the task", "[critic]: critic says"]


def test_one_dropped_in_a_round_says_nothing_that_others_read():
    said, shown = discuss(PlannedAgents(plan(NAMES, rounds=2, drop=[("critic", 1)]).guard("r")), rounds=2)

    assert [one for one in said if "critic" in one] == ["[critic]: None.", "[critic]: critic says"]
    assert "[critic]: critic says" in shown["judge"]
    assert "[critic]: None." not in shown["judge"] + shown["planner"]


def test_a_run_is_recorded_before_there_is_a_plan():
    recorder = TeamRecorder("support", keep_text=True)

    discuss(PlannedAgents(full_team_guard("r"), recorder=recorder), rounds=2)

    assert [(row.run, row.agent, row.round, row.answer, row.prompt_tokens) for row in recorder.rows] == [
        ("r", name, number, f"{name} says", 10) for number in (1, 2) for name in NAMES
    ]
    assert all(row.prompt_digest for row in recorder.rows)


def test_when_enough_agree_the_rest_is_not_asked_and_protected_agents_are():
    names = ("a", "b", "c", "judge")
    early = plan(names, early_exit=EarlyExit(agree=2, of=3), protect=("judge",))
    team = PlannedAgents(early.guard("r"), answer_of=lambda text: text.split()[-1])

    said, shown = discuss(team, names, lines=dict.fromkeys(names, "ANSWER B"))

    assert said[1:] == ["[a]: ANSWER B", "[b]: ANSWER B", "[c]: None.", "[judge]: ANSWER B"]
    assert "c" not in shown


def test_what_bears_no_mark_has_no_author():
    assert author_of(ModelRequest([TextInput("the task")])) is None
    assert author_of(ModelMessage("[planner]: mine")) is None
    assert text_of(ModelRequest([TextInput("[planner]: None.")])) == "None."


def test_the_example_runs_as_printed():
    assert run_example("AG2") == ["planner", "critic", "judge"]
