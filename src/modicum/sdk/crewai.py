"""A team plan in CrewAI: a crew whose tasks are those that the plan leaves.

    crew = planned(crew, plan.guard("run-7"), recorder=TeamRecorder("support"))
    crew.kickoff()

Agents are known by their role, and an agent's first task is its first round. A dropped agent's tasks are left out, so
that nothing of them is in the context of others (a skipped `ConditionalTask` leaves an empty part there, and the first
task cannot be one). Made for crews that run their tasks in sequence.
"""

from collections.abc import Callable, Sequence
from typing import Any

from modicum.agents.guard import Guard
from modicum.agents.plan_rules import EdgeKind
from modicum.agents.recorder import AgentReply, TeamRecorder
from modicum.calls import UserError
from modicum.calls.extras import missing_extra
from modicum.sdk.run_turns import RunTurns

try:
    from crewai import LLM, Crew, Process, Task
    from crewai.tasks.conditional_task import ConditionalTask
except ImportError:  # pragma: no cover - in an environment without the extra
    raise missing_extra("crewai", "the adapter to CrewAI") from None


def planned(
    crew: Crew,
    guard: Guard,
    *,
    recorder: TeamRecorder | None = None,
    answer_of: Callable[[str], str | None] | None = None,
) -> Crew:
    """A copy of the crew for one conversation under a plan; the crew itself stays as it is.

    Args:
        crew: with sequential tasks.
        guard: of this conversation; `full_team_guard(run)` where there is no plan yet.
        recorder: where turns are written down; nowhere if None.
        answer_of: takes the short answer out of a task's output, for a plan's early exit.

    Raises:
        UserError: the crew does not run its tasks in sequence, or a task has no agent.
    """
    if crew.process is not Process.sequential:
        raise UserError(
            f"a planned crew runs its tasks in sequence, not {crew.process}: set process=Process.sequential"
        )
    turns = RunTurns(guard, recorder=recorder, answer_of=answer_of)
    rounds = _number_rounds(crew.tasks)
    kept: list[tuple[Task, str, int]] = []
    copies: dict[int, Task] = {}
    spent: dict[int, tuple[int, int]] = {}
    for task, (role, number) in zip(crew.tasks, rounds, strict=True):
        if not guard.full_because and not guard.plan.keeps(role, number):
            continue
        copies[id(task)] = copy = _copy_task(task, turns, role, number, kept, copies, spent)
        kept.append((copy, role, number))
    agents = {id(task.agent): task.agent for task, *_ in kept}
    return crew.model_copy(update={"tasks": [task for task, *_ in kept], "agents": list(agents.values())})


def _number_rounds(tasks: Sequence[Task]) -> list[tuple[str, int]]:
    """Of each task, whose it is and the how manieth of that agent."""
    found: list[tuple[str, int]] = []
    for task in tasks:
        if task.agent is None:
            raise UserError("a task of the crew has no agent: nobody knows whose turn it is; give it one")
        role = str(task.agent.role).strip()
        found.append((role, 1 + sum(one == role for one, _ in found)))
    return found


def _copy_task(
    task: Task,
    turns: RunTurns,
    role: str,
    number: int,
    earlier: Sequence[tuple[Task, str, int]],
    copies: dict[int, Task],
    spent: dict[int, tuple[int, int]],
) -> Task:
    guard, agent = turns.guard, task.agent
    model = guard.model_for(role)
    if model and agent is not None:
        agent = agent.model_copy(update={"llm": LLM(model=model)})
    changes: dict[str, Any] = {"agent": agent, "callback": _ending(task, agent, turns, role, spent)}
    own = task.context if isinstance(task.context, list) else None
    named = None if own is None else {id(copies[id(one)]) for one in own if id(one) in copies}
    visible = [
        one
        for one, source, written in earlier
        if (named is None or id(one) in named)
        and (guard.full_because or _carries(guard, source, role, written, number))
    ]
    if own is not None or len(visible) < len(earlier):
        changes["context"] = visible
    if earlier and guard.plan.early_exit and not guard.full_because and role not in guard.plan.protect:
        fields = {name: getattr(task, name) for name in ("description", "expected_output", "name", "tools")}
        bare = ConditionalTask(**fields, condition=lambda _: not turns.agreed)
        return bare.model_copy(update=changes)
    return task.model_copy(update=changes)


def _carries(guard: Guard, source: str, reader: str, written: int, number: int) -> bool:
    kind = EdgeKind.SPATIAL if written >= number else EdgeKind.TEMPORAL
    return source == reader or guard.plan.carries(source, reader, kind, number)


def _ending(
    task: Task, agent: Any, turns: RunTurns, role: str, spent: dict[int, tuple[int, int]]
) -> Callable[[Any], Any]:
    """What is done when the task's output is there: the turn is written down, then the task's own callback runs."""
    spent.setdefault(id(agent.llm), _spent(agent))

    def ends(output: Any) -> Any:
        if turns.starts(role):
            used, before = _spent(agent), spent.get(id(agent.llm), (0, 0))
            spent[id(agent.llm)] = used
            prompt, completion = (one - other for one, other in zip(used, before, strict=True))
            model = getattr(agent.llm, "model", "")
            turns.ends(
                role,
                AgentReply(
                    reply=output.raw or None,
                    prompt_tokens=prompt or None,
                    completion_tokens=completion or None,
                    model=str(model),
                    instructions=f"{agent.goal}\n{agent.backstory}",
                ),
            )
        return task.callback(output) if task.callback else None

    return ends


def _spent(agent: Any) -> tuple[int, int]:
    """Prompt and completion tokens of the agent's model so far; 0 where it does not count."""
    usage = agent.llm.get_token_usage_summary() if hasattr(agent.llm, "get_token_usage_summary") else None
    return (0, 0) if usage is None else (usage.prompt_tokens, usage.completion_tokens)
