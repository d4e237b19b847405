"""From recorded runs to a plan: the largest saving that the record itself shows to be safe.

Every candidate is replayed on one half of the tasks, and one is chosen only if a loss beyond `max_loss` is ruled out
there and, unless bounds are allowed, only if its replay is exact. The best of many candidates looks better than it is:
the intervals are made wide enough to hold for all candidates at once, the greediest safe plan gives way to one with
more room that saves nearly as much, and `propose_and_check` replays the chosen one on the other half, after one or two
that are safer and save less. "Not enough evidence" is an answer.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile
from statistics import NormalDist

import msgspec
import numpy as np

from modicum.agents.attribution import TeamAttribution, attribute, own_scores
from modicum.agents.plan_rules import Binding, Decision, Drop, EarlyExit, Evidence, Learned
from modicum.agents.recordings import RecordedTeam
from modicum.agents.replay import TeamReplay, replay
from modicum.agents.team_plan import SCHEMA, TeamPlan
from modicum.calls.words.counted_nouns import number_of
from modicum.calls.words.percentages import percent
from modicum.statistics.paired import (
    PairedDifference,
    paired_difference,
    pairs_needed,
    passed_in_sequence,
    simultaneous_confidence,
)

FEWEST_GRADED = 20
"""Below this nothing is said: with 10 % discordance even a margin of 10 points needs more."""

NEARLY_AS_MUCH = 0.75
"""Share of the largest safe saving that is kept for certain; what lies above it is given up where that buys room.

The plan that saves most is the one whose bound lies closest to the margin, so that it is the first to miss it on other
tasks. Half splits of recorded subjects and simulated teams (benchmarks/results/agents.md) say what the price buys.
"""

STEPS = (0.25, 0.5, NEARLY_AS_MUCH)
"""What is tested on the other half, in this order: the plan with most room among those that keep this share of the
largest safe saving. More steps take longer, and save little more."""


@dataclass(frozen=True)
class Candidate:
    plan: TeamPlan
    what: str
    replayed: TeamReplay


def rank_agents(report: TeamAttribution, by: str = "") -> list[str]:
    """Agents, worst first.

    Args:
        report: the attribution.
        by: "own": the score of their own answers in their first round, before most of what they read; "without": what
            the vote gains without them. Unless said: own where answers were graded. Of equals, the one that costs most
            comes first.
    """
    first = {one.agent: one.own_score for one in reversed(report.per_round)}
    graded = by == "own" or (by != "without" and bool(first) and all(first.values()))

    def key(name: str) -> tuple[float, float]:
        row, own = report.agent(name), first.get(name)
        value = (own.value if own else 0.0) if graded else (-row.without.value if row.without else 0.0)
        return value, -(row.token_share or row.calls_share)

    return sorted(report.agents, key=key)


def make_blank_plan(team: RecordedTeam, decision: Decision, why: str = "", learner: str = "trace") -> TeamPlan:
    """A plan that changes nothing, bound to the team."""
    return TeamPlan(
        schema=SCHEMA,
        team=team.name,
        decision=decision,
        why=why,
        agents=team.graph.agents,
        rounds=team.graph.rounds,
        protect=tuple(sorted(team.graph.protect)),
        bound_to=Binding(prompts=team.prompts, models=team.models),
        learned=Learned(learner=learner, runs_count=len(team.runs), data_digest=digest_recording(team)),
    )


def propose(
    team: RecordedTeam,
    report: TeamAttribution,
    *,
    max_loss: float = 0.02,
    confidence: float = 0.95,
    allow_bounds: bool = False,
    fewest_saved: float = 0.02,
) -> TeamPlan:
    """Of the plans that are shown to be safe and save nearly the most, the one with the most room. See `proposals`."""
    return list_proposals(
        team, report, max_loss=max_loss, confidence=confidence, allow_bounds=allow_bounds, fewest_saved=fewest_saved
    )[-1]


def list_proposals(
    team: RecordedTeam,
    report: TeamAttribution,
    *,
    max_loss: float = 0.02,
    confidence: float = 0.95,
    allow_bounds: bool = False,
    fewest_saved: float = 0.02,
) -> list[TeamPlan]:
    """The plan of `propose` last; before it those that save less and have more room, safest first. Where nothing is
    shown to be safe: one plan that changes nothing and says why.

    Args:
        team: the recording that `report` is about.
        report: its attribution.
        max_loss: the largest loss of score that is acceptable (non-inferiority margin), in 0..1.
        confidence: two-sided, of the intervals of all candidates together.
        allow_bounds: also consider plans whose replay is only a bound; verify those before they are used.
        fewest_saved: smaller savings are not worth a plan.
    """
    if len(team.graph.agents) == 1:
        return [make_blank_plan(team, Decision.KEEP_ALL, "a team of one agent has nobody to drop")]
    if team.graph.protect.issuperset(team.graph.agents):
        return [make_blank_plan(team, Decision.KEEP_ALL, "every agent is protected: nobody may be dropped or stopped")]
    graded = len(team.graded)
    if not graded:
        why = "no run has an outcome or a gold answer, so the loss of a plan is not known: record the outcomes of runs"
        return [make_blank_plan(team, Decision.NOT_ENOUGH_EVIDENCE, why)]
    if graded < FEWEST_GRADED:
        why = f"{graded} graded runs to choose a plan on; at least {FEWEST_GRADED} are needed, "
        why += f"and {_describe_needed_runs(max_loss)} would show whether it loses more than allowed"
        return [make_blank_plan(team, Decision.NOT_ENOUGH_EVIDENCE, why)]
    found = make_shortlist(
        team, report, max_loss=max_loss, confidence=confidence, allow_bounds=allow_bounds, fewest_saved=fewest_saved
    )
    if not found.safe:
        return [make_blank_plan(team, *_explain_rejection(found.tried, found.worthwhile, max_loss))]
    chosen = (
        f"chosen from {number_of(len(found.tried), 'candidate')} on these tasks, with intervals wide enough for all of "
        "them"
    )
    plans: list[TeamPlan] = []
    for kept in STEPS:
        one = choose_safest(found.safe, found.confidence, kept)
        evidence = one.replayed.evidence(max_loss, found.confidence)
        note = "; ".join(filter(None, [chosen, evidence.note]))
        plan = msgspec.structs.replace(one.plan, why=one.what, evidence=msgspec.structs.replace(evidence, note=note))
        if plan not in plans:
            plans.append(plan)
    return plans


@dataclass(frozen=True)
class Shortlist:
    tried: list[Candidate]
    worthwhile: list[Candidate]
    """Those of `tried` that save enough."""
    safe: list[Candidate]
    """Those of `worthwhile` for which a loss beyond the margin is ruled out, for all of them together."""
    confidence: float
    """Of each single interval, so that all hold together."""


def make_shortlist(
    team: RecordedTeam,
    report: TeamAttribution,
    *,
    max_loss: float,
    confidence: float = 0.95,
    allow_bounds: bool = False,
    fewest_saved: float = 0.02,
) -> Shortlist:
    """What `propose` chooses from; arguments as there."""
    tried = [one for one in list_candidates(team, report) if allow_bounds or one.replayed.exact]
    worthwhile = [one for one in tried if one.replayed.saved_share >= fewest_saved]
    corrected = _share_confidence(worthwhile, confidence)
    safe = [one for one in worthwhile if one.replayed.change(corrected).not_worse_than(max_loss)]
    return Shortlist(tried, worthwhile, safe, corrected)


def choose_safest(safe: Sequence[Candidate], confidence: float, nearly_as_much: float = NEARLY_AS_MUCH) -> Candidate:
    """Of those that save nearly as much as the greediest, the one whose bound would hold best if it gained nothing.

    A gain is not counted: what looks best of many has had luck, and asking fewer agents has little reason to improve
    answers. What is left is how widely a plan's effect varies from task to task and from group to group.
    """
    largest = max(one.replayed.saved_share for one in safe)
    near = [one for one in safe if one.replayed.saved_share >= nearly_as_much * largest]

    def room(one: Candidate) -> tuple[float, float]:
        change = one.replayed.change(confidence)
        return min(0.0, change.mean) - (change.high - change.low) / 2, one.replayed.saved_share

    return max(near, key=room)


def propose_and_check(
    team: RecordedTeam, *, max_loss: float = 0.02, confidence: float = 0.95, allow_bounds: bool = False
) -> TeamPlan:
    """Chooses on one half of the tasks and checks the choice on the other; what fails there is no plan.

    Safer plans that save less are checked first, each at the full level, up to the first that fails: the last that
    passed is delivered. So a choice that was too bold leaves a more careful plan, and a loss beyond the margin is
    delivered no more often than by a single check (`passed_in_sequence`).

    Where the record points to an agent that no replay can judge, `why` names the trial that would.
    """
    learn, check = split_in_halves(team)
    plans = list_proposals(learn, attribute(learn), max_loss=max_loss, confidence=confidence, allow_bounds=allow_bounds)
    plan = plans[-1]
    if plan.evidence is not None:
        found = _choose_checked(plans, check, max_loss, confidence, allow_bounds=allow_bounds)
        plan = make_blank_plan(team, Decision.NOT_ENOUGH_EVIDENCE, found) if isinstance(found, str) else found
    trial = find_worst_agent(team)
    if trial is None or any(one.agent == trial.agent for one in plan.drop):
        return plan
    return msgspec.structs.replace(plan, why=f"{plan.why}; worth a trial: without {trial.agent} ({trial.why})")


def _choose_checked(
    plans: Sequence[TeamPlan], check: RecordedTeam, max_loss: float, confidence: float, *, allow_bounds: bool
) -> TeamPlan | str:
    """The last of the plans that passes on tasks which taught nothing; why there is none, where none does."""
    replays = [replay(plan, check) for plan in plans]
    usable = list(takewhile(lambda one: allow_bounds or one.exact, replays))
    passed = passed_in_sequence((one.change(confidence) for one in usable), max_loss)
    failed = ""
    if passed < len(plans):
        change = replays[passed].change(confidence)
        failed = f"{100 * change.low:+.1f} to {100 * change.high:+.1f} points are possible on the other half"
        if passed == len(usable):
            failed = "its effect on the other half can only be bounded (see --allow-bounds)"
    if not passed:
        return f"chosen on one half of the tasks ({plans[0].why}), but {failed}"
    verified = replays[passed - 1].evidence(max_loss, confidence)
    plan = msgspec.structs.replace(plans[passed - 1], verified=verified)
    if not failed:
        return plan
    return msgspec.structs.replace(plan, why=f"{plan.why} (not: {plans[passed].why}; {failed})")


def find_worst_agent(team: RecordedTeam, *, confidence: float = 0.95) -> Drop | None:
    """An agent whose own first answers are worse than those of every other agent on the same tasks, or nobody.

    What its words did to others no replay can undo, so a plan without it has to be run (`verify`). A specialist who is
    weak on most tasks looks the same: hence a trial and not a plan.

    Args:
        team: the recording.
        confidence: two-sided. Every comparison has to hold, so that only the choice of the worst among all agents
            asks for a correction (Bonferroni over agents; intersection-union over comparisons).
    """
    first = _collect_first_scores(team)
    names = [name for name in team.graph.agents if first.get(name)]
    if len(names) < 3:
        return None
    worst = min(names, key=lambda name: np.mean(list(first[name].values())))
    each = 1 - (1 - confidence) / len(names)
    found = [_is_ahead(first[name], first[worst], each) for name in names if name != worst]
    if worst in team.graph.protect or min(one.low for one in found) <= 0:
        return None
    nearest = min(found, key=lambda one: one.mean)
    own = np.mean(list(first[worst].values()))
    why = f"its own first answers score {own:.2f}, every other agent's at least {100 * nearest.mean:.0f} points more"
    return Drop(agent=worst, why=f"{why} on the same {number_of(nearest.pairs_count, 'task')}")


def _collect_first_scores(team: RecordedTeam) -> dict[str, dict[str, float]]:
    """Agent -> run -> how good its first answer was, where that is known; nobody who never answers."""
    found: dict[str, dict[str, float]] = {name: {} for name in team.graph.agents if own_scores(team, name)}
    for run in team.graded:
        spoken: set[str] = set()
        for turn in run.turns:
            score = run.own_score(turn)
            if turn.agent in found and turn.agent not in spoken and score is not None:
                found[turn.agent][run.run] = score
            spoken.add(turn.agent)
    return found


def _is_ahead(one: dict[str, float], other: dict[str, float], confidence: float) -> PairedDifference:
    both = [run for run in one if run in other]
    return paired_difference([other[run] for run in both], [one[run] for run in both], confidence=confidence)


def split_in_halves(team: RecordedTeam) -> tuple[RecordedTeam, RecordedTeam]:
    """Every second group of tasks (by name), so that the two halves share no task and no group."""
    groups = sorted({run.group or run.task for run in team.runs})
    first = set(groups[::2])
    return (
        team.part(run for run in team.runs if (run.group or run.task) in first),
        team.part(run for run in team.runs if (run.group or run.task) not in first),
    )


def list_candidates(team: RecordedTeam, report: TeamAttribution) -> Iterator[Candidate]:
    """What is worth replaying: stop early, stop after a round, the best in one round or alone, drop the worst.

    Nobody who is protected is touched.
    """
    base = make_blank_plan(team, Decision.REDUCE)
    best_first = list(reversed(rank_agents(report)))
    size = len(best_first)
    protected = set(base.protect)
    for agree in range(2, size + 1):
        if not protected:
            plan = msgspec.structs.replace(base, early_exit=EarlyExit(agree=agree, of=size))
            yield _make_candidate(team, plan, f"stop when {agree} of {size} agree, asked in the usual order")
    for of in range(2, size + 1):
        if protected - set(best_first[:of]):
            continue  # whoever is protected has to be asked before anything stops
        for agree in range(2, of + 1):
            stop = EarlyExit(agree=agree, of=of, first=tuple(best_first[:of]))
            what = f"ask {of} first, stop when {agree} of them agree, else go on with everybody"
            yield _make_candidate(team, msgspec.structs.replace(base, early_exit=stop), what)
    spoken = sorted({turn.round for run in team.runs for turn in run.turns})
    for last in spoken[:-1]:
        plan = msgspec.structs.replace(base, stop_after_round=last)
        yield _make_candidate(team, plan, f"stop after round {last}")
    worst = [name for name in reversed(best_first) if name not in protected]
    for count in range(1, min(len(worst), size - 1) + 1):
        if not protected:
            plan = make_drop_plan(msgspec.structs.replace(base, stop_after_round=1), worst[:count], report)
            yield _make_candidate(team, plan, f"one round, the vote of {', '.join(best_first[: size - count])}")
        yield _make_candidate(team, make_drop_plan(base, worst[:count], report), f"without {', '.join(worst[:count])}")


def make_drop_plan(base: TeamPlan, dropped: Sequence[str], report: TeamAttribution) -> TeamPlan:
    """The plan without these agents, each with what the record says about it."""
    alone = len(dropped) == len(base.agents) - 1
    return msgspec.structs.replace(
        base,
        decision=Decision.TEAM_OF_ONE if alone else Decision.REDUCE,
        drop=tuple(make_drop_line(name, report) for name in dropped),
    )


def make_drop_line(name: str, report: TeamAttribution) -> Drop:
    """Harm is claimed only where the whole interval of the vote without the agent, corrected for the number of agents,
    lies above 0.
    """
    row = report.agent(name)
    shown = is_harmful(name, report)
    why = []
    if row.own_score:
        why.append(f"own answers score {row.own_score.value:.2f} ({row.own_score.low:.2f} to {row.own_score.high:.2f})")
    if row.without:
        why.append(f"the vote without it changes by {100 * row.without.value:+.1f} points")
    if row.token_share is not None:
        why.append(f"{percent(row.token_share, 0)} of the tokens")
    why.append(
        "the team is shown to be better without its votes" if shown else "dropped to save cost: no harm by it is shown"
    )
    return Drop(agent=name, why="; ".join(why), harmful=shown)


def is_harmful(name: str, report: TeamAttribution) -> bool:
    """Whether leaving the agent out is shown to improve the vote, at 95 % over all agents together."""
    found = report.agent(name).without
    if found is None or found.value <= 0:
        return False
    # The report's interval is at 95 %: widen it to what many agents ask for.
    normal = NormalDist()
    wider = normal.inv_cdf(1 - 0.025 / len(report.agents)) / normal.inv_cdf(0.975)
    centre = (found.low + found.high) / 2
    return centre - wider * (found.high - found.low) / 2 > 0


def digest_recording(team: RecordedTeam) -> str:
    """Names the recording that a plan was learned from."""
    shape = [(run.run, run.answer, run.outcome, run.gold, len(run.turns)) for run in team.runs]
    return hashlib.blake2b(msgspec.json.encode(shape), digest_size=12).hexdigest()


def _share_confidence(worthwhile: Sequence[Candidate], confidence: float) -> float:
    """The confidence of one interval at which those of all candidates hold together."""
    if not worthwhile:
        return confidence
    changes = [one.replayed.score_plan - one.replayed.score_full for one in worthwhile]
    return simultaneous_confidence(changes, confidence=confidence, clusters=worthwhile[0].replayed.clusters)


def _make_candidate(team: RecordedTeam, plan: TeamPlan, what: str) -> Candidate:
    return Candidate(plan, what, replay(plan, team))


def _explain_rejection(
    tried: Sequence[Candidate], worthwhile: Sequence[Candidate], max_loss: float
) -> tuple[Decision, str]:
    if not tried:
        why = "no plan can be replayed exactly on these runs (a turn without 'reads' may have read all earlier turns): "
        why += "'modicum team propose --drop 1' makes one that 'modicum team verify' can try"
        return Decision.NOT_ENOUGH_EVIDENCE, why
    if not worthwhile:
        return Decision.KEEP_ALL, "no plan that these runs can replay would save much"
    safest = max(worthwhile, key=lambda one: one.replayed.change().low).replayed
    best: Evidence = safest.evidence(max_loss)
    if best.change_high + safest.unknown_count / best.tasks_count < -max_loss:
        return Decision.KEEP_ALL, f"every candidate loses more than {100 * max_loss:.0f} points"
    ungraded = (
        f"{safest.unknown_count} of them cannot be graded under it: record gold answers or the team's own answers"
    )
    points = f"{100 * best.change_low:+.1f} to {100 * best.change_high:+.1f}"
    why = f"{best.tasks_count} graded runs leave {points} points possible for the safest candidate; "
    why += (
        ungraded
        if safest.unknown_count
        else f"about {best.tasks_needed} would decide about {100 * max_loss:.0f} points"
    )
    return Decision.NOT_ENOUGH_EVIDENCE, why


def _describe_needed_runs(max_loss: float) -> str:
    return f"about {pairs_needed(max_loss, 0.10):,} (at 10 % discordance)"
