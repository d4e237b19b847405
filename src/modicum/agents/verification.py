"""Did the plan hold? The same tasks under the full team, the plan, a plan of the same shape by lot, and one agent.

The verdict is non-inferiority: a loss beyond the margin is ruled out, or it is not. Tokens that learning took are part
of the account. A plan that only equals the one drawn by lot has learned nothing, and a plan that only equals a single
agent saves too little: so both always stand beside it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import ceil
from typing import Any

import msgspec
import numpy as np

from modicum.agents.graph import TeamGraph
from modicum.agents.plan_rules import Decision, Drop, EarlyExit, Evidence, Mute, Substitute
from modicum.agents.recordings import RecordedTeam
from modicum.agents.replay import check_team
from modicum.agents.team_plan import TeamPlan
from modicum.agents.trials import RunTeam, Score, check_score
from modicum.calls import UserError
from modicum.statistics.paired import paired_difference, pairs_needed

FULL, PLAN, RANDOM, SINGLE = "full team", "plan", "by lot", "one agent"


class PlanVerdict(StrEnum):
    HOLDS = "holds"
    """A loss beyond the margin is ruled out."""
    WORSE = "worse"
    """The whole interval lies beyond the margin."""
    NOT_ENOUGH_EVIDENCE = "not enough evidence"


class ArmResult(msgspec.Struct, frozen=True):
    arm: str
    tasks_count: int
    score: float
    prompt_tokens: float | None
    """Per task; None where a run was not counted."""
    completion_tokens: float | None
    against_full: Evidence | None
    """None for the full team itself."""


class Verification(msgspec.Struct, frozen=True, kw_only=True):
    verdict: PlanVerdict
    margin: float
    arms: tuple[ArmResult, ...]
    learning_tokens: int
    break_even_tasks: int | None
    """Tasks after which the learning is paid for by what the plan saves; None where it saves nothing."""
    tasks_needed: int | None
    """For a verdict with power 0.8, at the discordance seen, if the plan does no harm."""

    def arm(self, name: str) -> ArmResult:
        return next(one for one in self.arms if one.arm == name)

    @property
    def evidence(self) -> Evidence:
        found = self.arm(PLAN).against_full
        assert found is not None  # noqa: S101 - only the full team has none
        return found


@dataclass(frozen=True)
class TaskRun:
    """One run of one task."""

    score: float
    prompt_tokens: int | None
    completion_tokens: int | None
    group: str = ""
    """What tasks of one kind share: they resemble each other, and are no strangers to the interval."""


def verify(
    plan: TeamPlan,
    graph: TeamGraph,
    tasks: Sequence[Any],
    run: RunTeam,
    score: Score,
    *,
    margin: float = 0.02,
    confidence: float = 0.95,
    seed: int = 0,
) -> Verification:
    """Runs every arm on every task: four times the tokens of a run, once.

    Args:
        plan: what is to be verified; its canary share is left aside.
        graph: the team.
        tasks: tasks that the plan was not learned from.
        run: runs the team on a task under a guard.
        score: grades a run, 0..1.
        margin: the largest acceptable loss.
        confidence: two-sided.
        seed: for the arm that is drawn by lot.

    Raises:
        UserError: no tasks, or the plan was made for another team.
    """
    if not tasks:
        raise UserError("there are no tasks to verify on: give tasks that the plan was not learned from")
    measured: dict[str, list[TaskRun]] = {}
    for name, one in make_arm_plans(plan, graph, seed).items():
        guards = (one.guard(agents=graph.agents) for _ in tasks)
        done = [run(task, guard) for task, guard in zip(tasks, guards, strict=False)]
        measured[name] = [
            TaskRun(check_score(score(task, each)), each.prompt_tokens, each.completion_tokens)
            for task, each in zip(tasks, done, strict=True)
        ]
    return compare(measured, margin=margin, confidence=confidence, learning_tokens=count_learning_tokens(plan))


def verify_recorded(
    plan: TeamPlan, arms: Mapping[str, RecordedTeam], *, margin: float = 0.02, confidence: float = 0.95
) -> Verification:
    """Compares arms as `verify` does, from recorded runs of the arms on the same tasks (several runs of a task are
    averaged).

    Raises:
        UserError: the arms share no graded task, or runs are another team's.
    """
    for team in arms.values():
        check_team(plan, team)
    by_task = {name: _group_by_task(team) for name, team in arms.items()}
    shared = sorted(set.intersection(*(set(found) for found in by_task.values())))
    if not shared:
        raise UserError("the recordings share no graded task: record every arm on the same tasks")
    measured = {name: [found[task] for task in shared] for name, found in by_task.items()}
    return compare(measured, margin=margin, confidence=confidence, learning_tokens=count_learning_tokens(plan))


def compare(
    measured: Mapping[str, Sequence[TaskRun]], *, margin: float, confidence: float, learning_tokens: int
) -> Verification:
    """The verdict over arms that ran the same tasks in the same order."""
    full = measured[FULL]
    arms = tuple(_measure_arm(name, runs, full, margin, confidence) for name, runs in measured.items())
    evidence = next(one.against_full for one in arms if one.arm == PLAN)
    assert evidence is not None  # noqa: S101 - the plan is always compared
    used, left = _tokens_per_task(full), _tokens_per_task(measured[PLAN])
    saved = 0.0 if used is None or left is None else used - left
    return Verification(
        verdict=_decide_verdict(evidence),
        margin=margin,
        arms=arms,
        learning_tokens=learning_tokens,
        break_even_tasks=ceil(learning_tokens / saved) if saved > 0 else None,
        tasks_needed=evidence.tasks_needed,
    )


def make_arm_plans(plan: TeamPlan, graph: TeamGraph, seed: int) -> dict[str, TeamPlan]:
    """The four plans that are compared."""
    bare = msgspec.structs.replace(
        plan, drop=(), mute=(), early_exit=None, stop_after_round=None, substitute=(), canary_share=0, expires=None
    )
    in_force = msgspec.structs.replace(plan, canary_share=0, expires=None)
    lone = choose_single_agent(plan)
    alone = tuple(Drop(agent=name) for name in graph.agents if name != lone and name not in plan.protect)
    return {
        FULL: msgspec.structs.replace(bare, decision=Decision.KEEP_ALL),
        PLAN: in_force,
        RANDOM: shuffle_plan(in_force, seed),
        SINGLE: msgspec.structs.replace(bare, decision=Decision.TEAM_OF_ONE, drop=alone, stop_after_round=1),
    }


def choose_single_agent(plan: TeamPlan) -> str:
    """Whom the plan thinks most of: the first it asks, else the first that it never drops."""
    if plan.early_exit and plan.early_exit.first:
        return plan.early_exit.first[0]
    dropped = {one.agent for one in plan.drop}
    return next((name for name in plan.agents if name not in dropped | set(plan.protect)), plan.agents[0])


def shuffle_plan(plan: TeamPlan, seed: int) -> TeamPlan:
    """A plan of the same shape with the names of the unprotected agents exchanged at random."""
    rng = np.random.default_rng(seed)
    movable = [name for name in plan.agents if name not in plan.protect]
    swap = dict(zip(movable, (str(name) for name in rng.permutation(movable)), strict=True))
    to = {name: swap.get(name, name) for name in plan.agents}
    stop = plan.early_exit
    return msgspec.structs.replace(
        plan,
        why="the control: a plan of the same shape, with agents chosen at random",
        drop=tuple(Drop(agent=to[one.agent], round=one.round) for one in plan.drop),
        mute=tuple(Mute(to[one.source], to[one.reader], one.kind, one.round) for one in plan.mute),
        substitute=tuple(Substitute(agent=to[one.agent], model=one.model) for one in plan.substitute),
        early_exit=EarlyExit(stop.agree, stop.of, tuple(to[name] for name in stop.first), stop.round) if stop else None,
    )


def count_learning_tokens(plan: TeamPlan) -> int:
    return plan.learned.tokens_spent if plan.learned else 0


def _measure_arm(
    name: str, runs: Sequence[TaskRun], full: Sequence[TaskRun], margin: float, confidence: float
) -> ArmResult:
    evidence = None
    if name != FULL:
        before, after = [one.score for one in full], [one.score for one in runs]
        groups = [one.group for one in runs]
        clusters = groups if len(set(groups)) > 1 else None
        change = paired_difference(before, after, confidence=confidence, clusters=clusters)
        used, left = _tokens_per_task(full), _tokens_per_task(runs)
        needed = pairs_needed(
            margin,
            max(change.discordant_share, 1 / len(runs)),
            one_sided_error=(1 - confidence) / 2,
            design_effect=change.design_effect,
        )
        evidence = Evidence(
            basis="experiment",
            tasks_count=len(runs),
            score_full=float(np.mean(before)),
            score_plan=float(np.mean(after)),
            change=change.mean,
            change_low=change.low,
            change_high=change.high,
            confidence=confidence,
            margin=margin,
            tokens_saved_share=1 - left / used if used and left is not None else None,
            tasks_needed=needed,
            note=change.caution,
        )
    return ArmResult(
        arm=name,
        tasks_count=len(runs),
        score=float(np.mean([one.score for one in runs])),
        prompt_tokens=_mean([one.prompt_tokens for one in runs]),
        completion_tokens=_mean([one.completion_tokens for one in runs]),
        against_full=evidence,
    )


def _decide_verdict(evidence: Evidence) -> PlanVerdict:
    if evidence.change_low >= -evidence.margin:
        return PlanVerdict.HOLDS
    return PlanVerdict.WORSE if evidence.change_high < -evidence.margin else PlanVerdict.NOT_ENOUGH_EVIDENCE


def _tokens_per_task(runs: Sequence[TaskRun]) -> float | None:
    """Tokens per task; None where some run has no count."""
    prompt, completion = _mean([one.prompt_tokens for one in runs]), _mean([one.completion_tokens for one in runs])
    return None if prompt is None or completion is None else prompt + completion


def _mean(counts: Sequence[int | None]) -> float | None:
    known = [count for count in counts if count is not None]
    return float(np.mean(known)) if known and len(known) == len(counts) else None


def _group_by_task(team: RecordedTeam) -> dict[str, TaskRun]:
    found: dict[str, list[TaskRun]] = {}
    for run in team.graded:
        prompt = [turn.prompt_tokens for turn in run.turns]
        completion = [turn.completion_tokens for turn in run.turns]
        found.setdefault(run.task, []).append(
            TaskRun(
                score=run.team_score or 0.0,
                prompt_tokens=None if None in prompt else sum(one or 0 for one in prompt),
                completion_tokens=None if None in completion else sum(one or 0 for one in completion),
                group=run.group or run.task,
            )
        )
    return {task: _average(runs) for task, runs in found.items()}


def _average(runs: Sequence[TaskRun]) -> TaskRun:
    prompt = [one.prompt_tokens for one in runs if one.prompt_tokens is not None]
    completion = [one.completion_tokens for one in runs if one.completion_tokens is not None]
    return TaskRun(
        score=float(np.mean([one.score for one in runs])),
        prompt_tokens=round(sum(prompt) / len(runs)) if len(prompt) == len(runs) else None,
        completion_tokens=round(sum(completion) / len(runs)) if len(completion) == len(runs) else None,
        group=runs[0].group,
    )
