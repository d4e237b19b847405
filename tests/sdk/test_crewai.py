import os
from importlib.util import find_spec

import pytest

if find_spec("crewai") is not None:  # before it is loaded, and nowhere else: other tests use telemetry
    os.environ["CREWAI_DISABLE_TELEMETRY"] = os.environ["OTEL_SDK_DISABLED"] = "true"
pytest.importorskip("crewai", reason="scripts/test-frameworks crewai runs this")

from crewai import Agent, Crew, Process, Task
from crewai.llms.base_llm import BaseLLM
from pydantic import Field

from modicum.agents.plan_rules import EarlyExit, Substitute
from modicum.agents.recorder import TeamRecorder
from modicum.agents.team_plan import full_team_guard
from modicum.calls import UserError
from modicum.sdk.crewai import planned
from sdk.plans import plan, run_example

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # CrewAI's own
NAMES = ("planner", "critic", "judge")


class Scripted(BaseLLM):
    """Says its line and remembers what it was shown."""

    line: str = ""
    shown: list = Field(default_factory=list)

    def call(self, messages, *_, **__):
        self.shown.append(messages[-1]["content"])
        self._track_token_usage_internal({"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15})
        return f"Thought: done\nFinal Answer: {self.line}"


@pytest.fixture
def models():
    return {name: Scripted(model="large", line=f"{name} says") for name in NAMES}


def crew_of(models, rounds=1, **fields):
    agents = [Agent(role=name, goal="g", backstory=f"be {name}", llm=llm) for name, llm in models.items()]
    tasks = [
        Task(description=f"{agent.role} {number}", expected_output="text", agent=agent)
        for number in range(1, rounds + 1)
        for agent in agents
    ]
    return Crew(agents=agents, tasks=tasks, **fields)


def test_a_dropped_agent_costs_no_call_and_leaves_no_trace(models):
    crew = crew_of(models)
    planned(crew, plan(NAMES, drop=[("critic", None)]).guard("r")).kickoff()

    assert models["critic"].shown == []
    assert "planner says" in models["judge"].shown[0]
    assert "critic" not in models["judge"].shown[0]
    assert "-----" not in models["judge"].shown[0]
    assert len(crew.tasks) == 3


def test_the_first_agent_can_be_dropped_too(models):
    planned(crew_of(models), plan(NAMES, drop=[("planner", None)]).guard("r")).kickoff()

    assert [len(models[name].shown) for name in NAMES] == [0, 1, 1]


def test_a_muted_edge_hides_one_author_from_one_reader(models):
    planned(crew_of(models), plan(NAMES, mute=[("planner", "judge")]).guard("r")).kickoff()

    assert "planner says" in models["critic"].shown[0]
    assert "planner says" not in models["judge"].shown[0]
    assert "critic says" in models["judge"].shown[0]


def test_a_context_that_names_a_dropped_task_goes_without_it(models):
    crew = crew_of(models)
    crew.tasks[2].context = [crew.tasks[0], crew.tasks[1]]
    planned(crew, plan(NAMES, drop=[("critic", None)]).guard("r")).kickoff()

    assert "planner says" in models["judge"].shown[0]
    assert "critic" not in models["judge"].shown[0]


def test_a_run_is_recorded_before_there_is_a_plan(models):
    recorder = TeamRecorder("support", keep_text=True)
    planned(crew_of(models, rounds=2), full_team_guard("r"), recorder=recorder).kickoff()

    turns = [(row.run, row.agent, row.round, row.answer, row.prompt_tokens, row.model) for row in recorder.rows]
    assert turns == [("r", name, number, f"{name} says", 10, "large") for number in (1, 2) for name in NAMES]


def test_when_enough_agree_the_rest_is_not_asked_and_protected_agents_are():
    models = {name: Scripted(model="large", line="ANSWER B") for name in ("a", "b", "c", "judge")}
    early = plan(models, early_exit=EarlyExit(agree=2, of=3), protect=("judge",))
    planned(crew_of(models), early.guard("r"), answer_of=lambda text: text.split()[-1]).kickoff()

    assert [len(model.shown) for model in models.values()] == [1, 1, 0, 1]


def test_a_cheaper_model_is_named(models):
    made = plan(NAMES, substitute=(Substitute(agent="critic", model="gpt-4o-mini"),))
    crew = planned(crew_of(models), made.guard("r"))

    assert [task.agent.llm.model for task in crew.tasks] == ["large", "gpt-4o-mini", "large"]


def test_what_it_is_not_made_for_is_refused(models):
    crew = crew_of(models, process=Process.hierarchical, manager_llm=models["judge"])
    with pytest.raises(UserError, match="in sequence"):
        planned(crew, full_team_guard("r"))


def test_the_example_runs_as_printed():
    assert run_example("CrewAI") == ["planner", "critic", "judge"]
