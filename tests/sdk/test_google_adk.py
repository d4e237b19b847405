import asyncio
import warnings

import pytest

pytest.importorskip("google.adk.plugins", reason="scripts/test-frameworks runs this")

from google.adk.agents import LlmAgent, LoopAgent, SequentialAgent
from google.adk.apps import App
from google.adk.models.base_llm import BaseLlm
from google.adk.models.llm_response import LlmResponse
from google.adk.runners import InMemoryRunner
from google.genai import types
from pydantic import Field

from modicum.agents.plan_rules import EarlyExit, Substitute
from modicum.agents.recorder import TeamRecorder
from modicum.sdk.google_adk import PlanPlugin, author_of
from sdk.plans import plan, run_example

NAMES = ("planner", "critic", "judge")
USAGE = types.GenerateContentResponseUsageMetadata(prompt_token_count=10, candidates_token_count=5)


class Scripted(BaseLlm):
    """Says its line and remembers what it was shown and asked."""

    model: str = "large"
    line: str = ""
    shown: list = Field(default_factory=list)
    models: list = Field(default_factory=list)

    async def generate_content_async(self, llm_request, stream=False):
        del stream
        self.shown.append(" | ".join(part.text for one in llm_request.contents for part in one.parts if part.text))
        self.models.append(llm_request.model)
        yield LlmResponse(content=types.Content(role="model", parts=[types.Part(text=self.line)]), usage_metadata=USAGE)


def scripted(**lines):
    return {name: Scripted(line=line) for name, line in lines.items()}


@pytest.fixture
def models():
    return scripted(**{name: f"{name} says" for name in NAMES})


def ask(models, plugin, *, rounds=1, run="run-7"):
    async def conversation():
        agents = [LlmAgent(name=name, model=model, instruction=f"be the {name}") for name, model in models.items()]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            team = SequentialAgent(name="team", sub_agents=agents)
            if rounds > 1:
                team = LoopAgent(name="loop", sub_agents=[team], max_iterations=rounds)
        runner = InMemoryRunner(app=App(name="app", root_agent=team, plugins=[plugin]))
        await runner.session_service.create_session(app_name="app", user_id="u", session_id=run)
        task = types.Content(role="user", parts=[types.Part(text="the task")])
        return [event async for event in runner.run_async(user_id="u", session_id=run, new_message=task)]

    return asyncio.run(conversation())


def test_a_dropped_agent_costs_no_call_and_its_placeholder_reaches_nobody(models):
    ask(models, PlanPlugin(plan(NAMES, drop=[("critic", None)]).guard))

    assert models["critic"].shown == []
    assert "planner says" in models["judge"].shown[0]
    assert "critic" not in models["judge"].shown[0]


def test_a_muted_edge_hides_one_author_from_one_reader(models):
    ask(models, PlanPlugin(plan(NAMES, mute=[("planner", "judge")]).guard))

    assert "planner says" in models["critic"].shown[0]
    assert "planner says" not in models["judge"].shown[0]
    assert "critic says" in models["judge"].shown[0]
    assert "the task" in models["judge"].shown[0]


def test_rounds_are_counted_in_a_loop(models):
    ask(models, PlanPlugin(plan(NAMES, rounds=2, drop=[("critic", 2)]).guard), rounds=2)

    assert [len(models[name].shown) for name in NAMES] == [2, 1, 2]


def test_a_run_is_recorded_before_there_is_a_plan(models):
    recorder = TeamRecorder("support", keep_text=True)
    ask(models, PlanPlugin(recorder=recorder))

    assert [(row.run, row.agent, row.round, row.answer, row.model) for row in recorder.rows] == [
        ("run-7", name, 1, f"{name} says", "large") for name in NAMES
    ]
    assert {(row.prompt_tokens, row.completion_tokens) for row in recorder.rows} == {(10, 5)}
    assert all(row.prompt_digest for row in recorder.rows)


def test_a_cheaper_model_is_asked(models):
    ask(models, PlanPlugin(plan(NAMES, substitute=(Substitute(agent="critic", model="small"),)).guard))

    assert [models[name].models for name in NAMES] == [["large"], ["small"], ["large"]]


def test_when_enough_agree_the_rest_is_not_asked_and_protected_agents_are():
    models = scripted(a="ANSWER B", b="ANSWER B", c="ANSWER B", judge="B it is")
    early = plan(models, early_exit=EarlyExit(agree=2, of=3), protect=("judge",))
    ask(models, PlanPlugin(early.guard, answer_of=lambda text: text.split()[-1]))

    assert [len(model.shown) for model in models.values()] == [1, 1, 0, 1]


def test_what_a_person_wrote_has_no_author():
    mine = types.Content(role="model", parts=[types.Part(text="[planner] said: x")])
    persons = types.Content(role="user", parts=[types.Part(text="what [planner] said:")])

    assert author_of(mine) is None
    assert author_of(persons) is None


def test_the_example_runs_as_printed():
    assert run_example("Google ADK") == ["planner", "critic", "judge"]
