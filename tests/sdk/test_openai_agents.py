import asyncio
import json
from datetime import date

import pytest

pytest.importorskip("agents.testing", reason="scripts/test-frameworks runs this")

from agents.testing import ScriptedModel, assistant_message, function_call

from agents import Agent, RunConfig, Runner, function_tool, handoff
from modicum.agents.plan_rules import Substitute
from modicum.agents.recorder import TeamRecorder
from modicum.agents.team_plan import full_team_guard
from modicum.sdk.openai_agents import PlannedRun
from sdk.plans import plan, run_example

QUIET = RunConfig(tracing_disabled=True)


def says(text):
    return [assistant_message(text)]


def handing_over():
    """planner, who may hand over to critic and judge; each with its model."""
    models = {
        "planner": ScriptedModel(
            [[assistant_message("planner says"), function_call("transfer_to_judge", {}, call_id="c0")]]
        ),
        "critic": ScriptedModel([]),
        "judge": ScriptedModel([says("judge says")]),
    }
    critic, judge = (Agent(name=name, model=models[name]) for name in ("critic", "judge"))
    return models, Agent(name="planner", model=models["planner"], handoffs=[critic, judge])


def play(team, agent, question="the task"):
    return asyncio.run(Runner.run(team.agent(agent), question, hooks=team.hooks, run_config=team.run_config))


def shown(call):
    return json.dumps(call.input)


def offered(call):
    return {one.agent_name for one in call.handoffs} | {tool.name for tool in call.tools}


def test_a_dropped_agent_is_not_offered_to_the_model():
    models, planner = handing_over()
    team = PlannedRun(plan(models, drop=[("critic", None)]).guard("run-7"), run_config=QUIET)

    result = play(team, planner)

    assert result.final_output == "judge says"
    assert offered(models["planner"].first_call) == {"judge"}


@pytest.mark.parametrize(("own", "left"), [(True, {"judge"}), (False, set()), (None, {"judge"})])
def test_a_handoff_with_a_condition_is_offered_where_plan_and_condition_allow_it(own, left):
    models, planner = handing_over()
    models["planner"] = planner.model = ScriptedModel([says("done")])

    async def later(context, agent):
        return True

    planner.handoffs = [handoff(one, is_enabled=later if own is None else lambda *_: own) for one in planner.handoffs]
    team = PlannedRun(plan(models, drop=[("critic", None)]).guard("run-7"), run_config=QUIET)

    play(team, planner)

    assert offered(models["planner"].first_call) == left


def test_without_a_plan_in_force_everybody_is_offered():
    models, planner = handing_over()
    guard = plan(models, drop=[("critic", None)], expires="2020-01-01").guard(today=date(2026, 1, 1))

    play(PlannedRun(guard, run_config=QUIET), planner)

    assert offered(models["planner"].first_call) == {"critic", "judge"}


def test_a_muted_author_is_not_read_and_calls_keep_their_results():
    models, planner = handing_over()
    team = PlannedRun(plan(models, mute=[("planner", "judge")]).guard("run-7"), run_config=QUIET)

    play(team, planner)

    prompt = models["judge"].first_call.input
    assert "planner says" not in json.dumps(prompt)
    calls = {item["call_id"] for item in prompt if item.get("type") == "function_call"}
    results = {item["call_id"] for item in prompt if item.get("type") == "function_call_output"}
    assert calls == results
    assert "the task" in json.dumps(prompt)


def asking(the_plan, **fields):
    """A manager that asks the critic as a tool, and looks something up itself."""
    models = {
        "manager": ScriptedModel(
            [
                [
                    function_call("ask_critic", {"input": "well?"}, call_id="c1"),
                    function_call("look_up", {}, call_id="c2"),
                ],
                says("done"),
            ]
        ),
        "critic": ScriptedModel([says("critic says")]),
    }

    @function_tool
    def look_up() -> str:
        """Look something up."""
        return "found it"

    critic = Agent(name="critic", model=models["critic"])
    tool = critic.as_tool("ask_critic", "Ask the critic.", run_config=QUIET)
    manager = Agent(name="manager", model=models["manager"], tools=[tool, look_up])
    team = PlannedRun(the_plan.guard("run-7"), tools={"ask_critic": "critic"}, run_config=QUIET, **fields)
    return models, manager, team


def test_the_tool_that_asks_a_dropped_agent_is_gone():
    models, manager, team = asking(plan(["manager", "critic"], drop=[("critic", None)]))
    models["manager"] = ScriptedModel([says("done")])
    manager.model = models["manager"]

    play(team, manager)

    assert offered(models["manager"].first_call) == {"look_up"}


def test_a_muted_agent_tool_goes_with_its_result_and_others_stay():
    models, manager, team = asking(plan(["manager", "critic"], mute=[("critic", "manager")]))

    play(team, manager)

    prompt = shown(models["manager"].last_call)
    assert "critic says" not in prompt
    assert "ask_critic" not in prompt
    assert "found it" in prompt
    assert "look_up" in prompt


def test_a_cheaper_model_takes_the_place_of_the_agents_own():
    models, planner = handing_over()
    team = PlannedRun(plan(models, substitute=(Substitute("planner", "small"),)).guard("run-7"), run_config=QUIET)

    assert team.agent(planner).model == "small"
    assert planner.model is models["planner"]


def test_an_agent_tool_takes_a_turn_each_time_it_is_asked():
    models, manager, team = asking(plan(["manager", "critic"], rounds=2, drop=[("critic", 2)]))

    play(team, manager)

    assert "ask_critic" in offered(models["manager"].first_call)
    assert "ask_critic" not in offered(models["manager"].last_call)


def test_turns_are_recorded():
    recorder = TeamRecorder("test", keep_text=True)
    _, manager, team = asking(plan(["manager", "critic"]), recorder=recorder)

    play(team, manager)

    assert [(row.agent, row.answer) for row in recorder.rows] == [("manager", None), ("manager", "done")]


def test_an_agent_that_is_gone_does_not_lend_its_name_to_the_next():
    run = PlannedRun(full_team_guard("r"))

    assert [run.agent(Agent(name=f"agent {number}")).name for number in range(50)] == [f"agent {n}" for n in range(50)]


def test_the_example_runs_as_printed():
    assert run_example("OpenAI Agents SDK") == ["planner", "critic", "judge"]
