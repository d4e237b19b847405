"""Teams whose truth is known: competence, redundancy, persuasion and cost are set, so that learners can be marked.

A task has one right answer, a difficulty, and one wrong answer that attracts those who do not know. In the first round
every agent forms its own opinion; whoever reads messages may be talked over, the more so the more persuasive the
authors. The last answers are put to the vote. All chance of a task is drawn beforehand, so that one task under two
plans differs only by the plan; `truth` enumerates every drop of one agent on the same tasks.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import exp, log

import msgspec
import numpy as np
from numpy.typing import NDArray

from modicum.agents.answers import find_tied_answers, vote
from modicum.agents.graph import Mask, TeamGraph, find_cycle
from modicum.agents.guard import Guard
from modicum.agents.plan_rules import Drop
from modicum.agents.recordings import ReadMessage, RecordedRow, RecordedTeam, build_team
from modicum.agents.team_plan import TeamPlan, make_plan
from modicum.agents.trials import TeamRun

Floats = NDArray[np.float64]

RIGHT = "right"


@dataclass(frozen=True)
class SimulatedAgent:
    name: str
    skill: float = 0.7
    """Chance to be right alone on a task of average difficulty."""
    persuasion: float = 1.0
    copies: str = ""
    """Has the same opinion as this agent, always."""
    tokens_mean: float = 150.0


@dataclass(frozen=True)
class Scenario:
    name: str
    agents: tuple[SimulatedAgent, ...]
    rounds: int = 2
    herding: float = 0.35
    """Chance that a reader takes over an answer it has read, where authors have persuasion 1."""
    options: int = 4
    attraction: float = 0.5
    """Chance that a wrong answer is the task's attractive one."""
    difficulty_spread: float = 1.0
    special_share: float = 0.0
    """Share of tasks that only `specialist` can answer; the others abstain there."""
    specialist: str = ""
    outcome_noise: float = 0.0
    """Chance that a run is graded wrongly."""
    base_prompt_tokens: int = 300
    spatial: str = "full"
    """Who reads whom within a round, a shape of `graph.SHAPES`; "none": opinions of the first round are independent."""
    ties_by_lot: bool = False
    """Of answers with equally many votes one wins by lot, instead of the one given first in the list of agents."""


@dataclass(frozen=True)
class SimulatedTask:
    """All chance of one task."""

    name: str
    opinions: tuple[str | None, ...]
    sways: Floats
    """[rounds, agents]: below the chance to be talked over, an agent is."""
    choices: Floats
    """[rounds, agents]: whose answer it then takes."""
    tokens: NDArray[np.int64]
    """[rounds, agents]: length of what it writes."""
    misgraded: bool
    tie: float = 0.0
    """Which of equals wins, in 0..1, where ties are broken by lot."""


def planted(bad_skill: float = 0.25, agents_count: int = 5, skill: float = 0.8) -> Scenario:
    """One agent that only guesses (one right in four options) among able ones."""
    able = tuple(SimulatedAgent(f"able-{index}", skill) for index in range(1, agents_count))
    return Scenario("one bad agent", (*able[:2], SimulatedAgent("bad", bad_skill), *able[2:]))


def equal(agents_count: int = 5, skill: float = 0.8) -> Scenario:
    return Scenario("equal agents", tuple(SimulatedAgent(f"able-{index}", skill) for index in range(agents_count)))


def persuasive(place: int = 0) -> Scenario:
    """One agent that is mostly wrong and whom everybody believes; at the head of the list, unless said, it is heard by
    all in the first round.
    """
    agents = [SimulatedAgent(f"able-{index}", 0.8) for index in range(4)]
    agents.insert(place, SimulatedAgent("loud", 0.05, persuasion=3.0))
    return Scenario("one persuasive wrong agent", tuple(agents))


def duplicate() -> Scenario:
    able = tuple(SimulatedAgent(f"able-{index}") for index in range(4))
    return Scenario("one duplicate agent", (*able, SimulatedAgent("copy", copies="able-0")))


def with_specialist() -> Scenario:
    """An agent that is worse than the others, and alone can answer a tenth of the tasks: it must not be dropped."""
    able = tuple(SimulatedAgent(f"able-{index}") for index in range(4))
    return Scenario(
        "a specialist", (*able, SimulatedAgent("specialist", 0.55)), special_share=0.1, specialist="specialist"
    )


def useless() -> Scenario:
    """Everybody copies one agent and nobody reads: a team of one does as well."""
    first = SimulatedAgent("first")
    return Scenario("a team of copies", (first, *(SimulatedAgent(f"echo-{i}", copies="first") for i in range(4))))


def panel() -> Scenario:
    """Seven equal agents who answer by themselves and hardly listen afterwards: whom to ask first is of no matter, and
    the fewer have to agree, the more is lost.
    """
    agents = tuple(SimulatedAgent(f"agent-{index}") for index in range(7))
    return Scenario("a panel of seven", agents, rounds=3, spatial="none", herding=0.1, difficulty_spread=2.0)


def noisy() -> Scenario:
    scenario = planted()
    return Scenario("one bad agent, 10 % misgraded", scenario.agents, outcome_noise=0.1)


def as_in_notes() -> dict[str, Scenario]:
    """The two planted scenarios as an earlier simulation of this project had them, as far as its notes say: five
    agents, two rounds, a majority vote, herding 0.35. They do not say how a tie is broken; the accuracies fit a lot.
    """
    found = {"planted": planted(), "persuasive": persuasive()}
    return {name: replace(one, ties_by_lot=True) for name, one in found.items()}


class SimulatedTeam:
    """Runs a scenario under a guard, as a user's own runner would."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.graph = TeamGraph([agent.name for agent in scenario.agents], scenario.rounds, scenario.spatial)

    def tasks(self, count: int, seed: int) -> list[SimulatedTask]:
        """Independent tasks; the same seed gives the same ones."""
        rng = np.random.default_rng(seed)
        setup, shape = self.scenario, (count, self.scenario.rounds, len(self.scenario.agents))
        difficulty = rng.normal(0, setup.difficulty_spread, count)
        luck, wrong = rng.random((count, shape[2])), rng.random((count, shape[2], 2))
        sways, choices = rng.random(shape), rng.random(shape)
        means = np.array([agent.tokens_mean for agent in setup.agents])
        tokens = np.maximum(1, np.rint(rng.lognormal(-0.125, 0.5, shape) * means)).astype(np.int64)
        special, misgraded = rng.random(count) < setup.special_share, rng.random(count) < setup.outcome_noise
        ties = rng.random(count)
        return [
            SimulatedTask(
                name=f"task-{seed}-{index}",
                opinions=self._draw_opinions(
                    float(difficulty[index]), luck[index], wrong[index], special=special[index]
                ),
                sways=sways[index],
                choices=choices[index],
                tokens=tokens[index],
                misgraded=bool(misgraded[index]),
                tie=float(ties[index]),
            )
            for index in range(count)
        ]

    def _draw_opinions(
        self, difficulty: float, luck: Floats, wrong: Floats, *, special: bool
    ) -> tuple[str | None, ...]:
        setup = self.scenario
        found: dict[str, str | None] = {}
        for index, agent in enumerate(setup.agents):
            if agent.copies:
                found[agent.name] = found[agent.copies]
            elif special:
                knows = agent.name == setup.specialist and luck[index] < 0.95
                found[agent.name] = RIGHT if knows else None
            elif luck[index] < 1 / (1 + exp(difficulty - log(agent.skill / (1 - agent.skill)))):
                found[agent.name] = RIGHT
            elif wrong[index, 0] < setup.attraction:
                found[agent.name] = "wrong 1"
            else:
                found[agent.name] = f"wrong {1 + int(wrong[index, 1] * (setup.options - 1))}"
        return tuple(found[agent.name] for agent in setup.agents)

    @cached_property
    def _compute_persuasion(self) -> list[float]:
        return [agent.persuasion for agent in self.scenario.agents]

    def run(self, task: SimulatedTask, guard: Guard) -> TeamRun:
        """One run under the guard's plan: who is active, who reads whom."""
        names = self.graph.agents
        spatial, temporal = guard.plan.edge_masks(self.graph)
        last: dict[int, str | None] = {}
        before: dict[int, tuple[str | None, int]] = {}
        rows: list[RecordedRow] = []
        for number in range(self.scenario.rounds):
            edges = drop_cycles(spatial[number])
            now: dict[int, tuple[str | None, int]] = {}
            for agent in sort_by_reading(edges):
                if not guard.active(names[agent], number + 1):
                    continue
                answers_before = [(one, number + 1, *now[one]) for one in now if edges[one, agent]]
                if number:
                    answers_before += [
                        (one, number, *before[one]) for one in before if temporal[number - 1][one, agent]
                    ]
                own = before[agent][0] if agent in before else task.opinions[agent]
                answer = self._sway(
                    task, number, agent, own, [(one, answer_before) for one, _, answer_before, _ in answers_before]
                )
                now[agent] = answer, int(task.tokens[number, agent])
                last[agent] = answer
                rows.append(self._make_row(task, number, agent, answer, answers_before))
            before = now
        prompt = sum(row.prompt_tokens or 0 for row in rows)
        return TeamRun(
            answer=self._vote(task, [last[agent] for agent in sorted(last)]),
            prompt_tokens=prompt,
            completion_tokens=sum(row.completion_tokens or 0 for row in rows),
            rows=tuple(rows),
        )

    def _vote(self, task: SimulatedTask, answers: Sequence[str | None]) -> str | None:
        if not self.scenario.ties_by_lot:
            return vote(answers)
        equals = find_tied_answers(answers)
        return equals[int(task.tie * len(equals))]

    def _make_row(
        self,
        task: SimulatedTask,
        number: int,
        agent: int,
        answer: str | None,
        answers_before: Sequence[tuple[int, int, str | None, int]],
    ) -> RecordedRow:
        reads = tuple(
            ReadMessage(self.graph.agents[one], written, tokens) for one, written, _, tokens in answers_before
        )
        return RecordedRow(
            run=task.name,
            agent=self.graph.agents[agent],
            round=number + 1,
            answer=answer,
            prompt_tokens=self.scenario.base_prompt_tokens + sum(tokens for *_, tokens in answers_before),
            completion_tokens=int(task.tokens[number, agent]),
            reads=reads,
        )

    def _sway(
        self,
        task: SimulatedTask,
        number: int,
        agent: int,
        own: str | None,
        answers_before: Sequence[tuple[int, str | None]],
    ) -> str | None:
        """The answer after reading: its own, or with some chance that of an author, by persuasion."""
        others = [
            (one, answer_before) for one, answer_before in answers_before if one != agent and answer_before is not None
        ]
        if not others:
            return own
        weights = [self._compute_persuasion[one] for one, _ in others]
        total = sum(weights)
        if own is not None and task.sways[number, agent] >= min(0.95, self.scenario.herding * total / len(others)):
            return own
        mark = task.choices[number, agent] * total
        for weight, (_, answer_before) in zip(weights, others, strict=True):
            mark -= weight
            if mark < 0:
                return answer_before
        return others[-1][1]

    def score(self, task: SimulatedTask, done: TeamRun) -> float:
        return float((done.answer == RIGHT) != task.misgraded)

    def record(self, tasks: Sequence[SimulatedTask]) -> RecordedTeam:
        """Runs of the full team, with the gold answer known (or a wrong one, where a task is misgraded)."""
        full = make_plan(self.graph)
        rows: list[tuple[int, RecordedRow]] = []
        for task in tasks:
            done = self.run(task, full.guard())
            rows += [(len(rows) + index, row) for index, row in enumerate(done.rows)]
            gold = RIGHT if not task.misgraded else "wrong 1"
            result = RecordedRow(run=task.name, answer=done.answer, gold=gold, outcome=float(done.answer == gold))
            rows.append((len(rows), result))
        return build_team(rows, path="simulated", graph=self.graph)[0]

    def mean(self, plan: TeamPlan, tasks: Sequence[SimulatedTask]) -> tuple[float, float, float]:
        """True score, prompt and completion tokens per task under a plan (grading noise left out)."""
        runs = [self.run(task, plan.guard()) for task in tasks]
        return (
            float(np.mean([done.answer == RIGHT for done in runs])),
            float(np.mean([done.prompt_tokens for done in runs])),
            float(np.mean([done.completion_tokens for done in runs])),
        )

    def truth(self, tasks: Sequence[SimulatedTask]) -> dict[str, float]:
        """True score of the full team ("") and without each agent, on the same tasks."""
        full = make_plan(self.graph)
        found = {"": self.mean(full, tasks)[0]}
        for name in self.graph.agents:
            plan = msgspec.structs.replace(full, drop=(Drop(agent=name),))
            found[name] = self.mean(plan, tasks)[0]
        return found


def drop_cycles(edges: Mask) -> Mask:
    """The edges that one round can use: as they are where they have no cycle, else those that follow the list order."""
    return np.triu(edges, 1) if find_cycle(edges) else edges


def sort_by_reading(edges: Mask) -> list[int]:
    """Agents so that everybody speaks after those it reads; list order where edges leave it open. No cycles."""
    waiting = list(range(len(edges)))
    order: list[int] = []
    while waiting:
        ready = next(node for node in waiting if not edges[waiting, node].any())
        waiting.remove(ready)
        order.append(ready)
    return order
