"""What a plan would have done to recorded runs: exactly where the record can tell, a bound where it cannot.

Stopping early only cuts turns off the end, and the answers of a first round that nobody had read anything for do not
depend on who else was asked: there the replay is exact. A kept agent that had read a dropped one would have written
something else, which no record knows: there it is a bound, and says so (`exact`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from modicum.agents.answers import find_agreed_answer, vote
from modicum.agents.plan_rules import Evidence
from modicum.agents.recordings import AgentTurn, RecordedRun, RecordedTeam
from modicum.agents.team_plan import TeamPlan
from modicum.calls import UserError
from modicum.calls.words.counted_nouns import number_of
from modicum.statistics.paired import PairedDifference, paired_difference, pairs_needed

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class ReplayedRun:
    answer: str | None
    calls_count: int
    tokens: int | None
    """None where a turn's tokens were not recorded."""
    stopped: bool
    exact: bool


@dataclass(frozen=True)
class TeamReplay:
    """Arrays over the team's graded runs."""

    score_full: Floats
    score_plan: Floats
    """Where the record cannot tell, the worst score that fits it (0)."""
    known: NDArray[np.bool_]
    """Whether the record can tell the score under the plan."""
    calls_full: Floats
    calls_plan: Floats
    tokens_full: Floats | None
    tokens_plan: Floats | None
    exact: bool
    stopped: NDArray[np.bool_]
    """Whether the run would have ended before its end."""
    groups: tuple[str, ...]

    def part(self, chosen: NDArray[np.bool_]) -> "TeamReplay":
        """The same over some of the runs."""
        tokens = self.tokens_full, self.tokens_plan
        return replace(
            self,
            score_full=self.score_full[chosen],
            score_plan=self.score_plan[chosen],
            known=self.known[chosen],
            calls_full=self.calls_full[chosen],
            calls_plan=self.calls_plan[chosen],
            tokens_full=None if tokens[0] is None else tokens[0][chosen],
            tokens_plan=None if tokens[1] is None else tokens[1][chosen],
            stopped=self.stopped[chosen],
            groups=tuple(group for group, is_chosen in zip(self.groups, chosen, strict=True) if is_chosen),
        )

    @property
    def stopped_share(self) -> float:
        return float(self.stopped.mean()) if len(self.stopped) else 0.0

    def change(self, confidence: float = 0.95) -> PairedDifference:
        """Paired, with the groups of tasks as clusters where the record names them."""
        return paired_difference(self.score_full, self.score_plan, confidence=confidence, clusters=self.clusters)

    @property
    def unknown_count(self) -> int:
        return int((~self.known).sum())

    @property
    def clusters(self) -> tuple[str, ...] | None:
        return self.groups if len(set(self.groups)) > 1 else None

    @property
    def changed(self) -> bool:
        """Whether any run would have been another one: fewer calls, or another score."""
        return bool((self.calls_plan != self.calls_full).any() or (self.score_plan != self.score_full).any())

    @property
    def calls_saved_share(self) -> float:
        return 1 - float(self.calls_plan.sum() / self.calls_full.sum())

    @property
    def tokens_saved_share(self) -> float | None:
        if self.tokens_full is None or self.tokens_plan is None or not self.tokens_full.sum():
            return None
        return 1 - float(self.tokens_plan.sum() / self.tokens_full.sum())

    @property
    def saved_share(self) -> float:
        """Share of tokens that is saved; of calls where tokens were not recorded."""
        tokens = self.tokens_saved_share
        return self.calls_saved_share if tokens is None else tokens

    def evidence(self, margin: float, confidence: float = 0.95) -> Evidence:
        change = self.change(confidence)
        count = max(1, change.pairs_count)
        ungraded = (
            f"{number_of(self.unknown_count, 'answer')} could not be graded and count as wrong"
            if self.unknown_count
            else ""
        )
        return Evidence(
            basis="replay",
            tasks_count=change.pairs_count,
            score_full=float(self.score_full.sum()) / count,
            score_plan=float(self.score_plan.sum()) / count,
            change=change.mean,
            change_low=change.low,
            change_high=change.high,
            confidence=confidence,
            margin=margin,
            calls_saved_share=self.calls_saved_share,
            tokens_saved_share=self.tokens_saved_share,
            exact=self.exact,
            tasks_needed=pairs_needed(
                margin,
                max(change.discordant_share, 1 / count),
                one_sided_error=(1 - confidence) / 2,
                design_effect=change.design_effect,
            ),
            note="; ".join(filter(None, [ungraded, change.caution])),
        )


def replay(plan: TeamPlan, team: RecordedTeam) -> TeamReplay:
    """The plan over the team's graded runs.

    Raises:
        UserError: the plan was made for other agents.
    """
    check_team(plan, team)
    runs = team.graded
    done = [replay_run(plan, run) for run in runs]
    worths = [
        run.team_score if one.answer == run.answer else run.worth(one.answer)
        for run, one in zip(runs, done, strict=True)
    ]
    recorded = [_tokens(run.turns) for run in runs]
    tokens_known = all(value is not None for value in recorded) and all(one.tokens is not None for one in done)
    return TeamReplay(
        score_full=np.array([run.team_score or 0.0 for run in runs]),
        score_plan=np.array([value or 0.0 for value in worths]),
        known=np.array([value is not None for value in worths], dtype=bool),
        calls_full=np.array([sum(turn.calls_count for turn in run.turns) for run in runs], dtype=float),
        calls_plan=np.array([one.calls_count for one in done], dtype=float),
        tokens_full=np.array(recorded, dtype=float) if tokens_known else None,
        tokens_plan=np.array([one.tokens for one in done], dtype=float) if tokens_known else None,
        exact=all(one.exact for one in done),
        stopped=np.array([one.stopped for one in done], dtype=bool),
        groups=tuple(run.group or run.task for run in runs),
    )


def check_team(plan: TeamPlan, team: RecordedTeam) -> None:
    """Refuses runs in which somebody speaks whom the plan does not know; who is silent may be missing.

    Raises:
        UserError: they are another team's.
    """
    strangers = [name for name in team.graph.agents if name not in plan.agents]
    if strangers:
        raise UserError(
            f"the plan was made for another team ({', '.join(plan.agents)}); in these runs {', '.join(strangers)} "
            "spoke too: run 'modicum team propose' on them"
        )


def replay_run(plan: TeamPlan, run: RecordedRun) -> ReplayedRun:
    """One run under the plan."""
    turns = _list_planned_turns(plan, run)
    taken: list[AgentTurn] = []
    stop = plan.early_exit
    absent = _count_absent(plan, run)
    for index, turn in enumerate(turns):
        taken.append(turn)
        if stop is None or stop.round not in {None, turn.round}:
            continue
        # Whoever had to be asked first and is not in the record counts as asked, and as silent. One who spoke twice in
        # a round agrees with nobody by that: its last answer counts.
        answers = {one.agent: one.answer for one in taken if one.round == turn.round}
        answer = find_agreed_answer(list(answers.values()), stop.agree, stop.of - absent)
        if answer is not None and index + 1 < len(run.turns):  # after the last turn there is nothing to stop
            taken += _add_protected_turns(plan, turns[index + 1 :])
            return _summarise(taken, answer, absent, stopped=True, exact=_is_independent(taken, run))
    if len(taken) == len(run.turns):
        return _summarise(taken, run.answer, absent, stopped=False, exact=True)
    last: dict[str, str | None] = {}
    for turn in taken:
        last.pop(turn.agent, None)
        last[turn.agent] = turn.answer
    return _summarise(taken, vote(list(last.values())), absent, stopped=False, exact=_is_independent(taken, run))


def _add_protected_turns(plan: TeamPlan, rest: Sequence[AgentTurn]) -> list[AgentTurn]:
    """Stopping stops nobody who is protected: each has its last word."""
    return list({turn.agent: turn for turn in rest if turn.agent in plan.protect}.values())


def _summarise(
    taken: Sequence[AgentTurn], answer: str | None, absent: int, *, stopped: bool, exact: bool
) -> ReplayedRun:
    known = _tokens(taken)
    each = known / len(taken) if known is not None and taken else None
    return ReplayedRun(
        answer=answer,
        calls_count=sum(turn.calls_count for turn in taken) + absent,
        tokens=None if known is None else known + round(absent * (each or 0)),
        stopped=stopped,
        exact=exact,
    )


def _list_planned_turns(plan: TeamPlan, run: RecordedRun) -> list[AgentTurn]:
    """The run's turns that the plan keeps, in the order in which it would ask."""
    first = plan.early_exit.first if plan.early_exit else ()
    rank = {agent: index for index, agent in enumerate(first)}
    kept = [turn for turn in run.turns if plan.keeps(turn.agent, turn.round)]
    return sorted(kept, key=lambda turn: (turn.round, rank.get(turn.agent, len(rank)), turn.step))


def _count_absent(plan: TeamPlan, run: RecordedRun) -> int:
    """How many of those to be asked first did not speak in the recorded first round."""
    if plan.early_exit is None or not run.turns:
        return 0
    spoke = {turn.agent for turn in run.turns if turn.round == 1}
    return sum(agent not in spoke and plan.keeps(agent, 1) for agent in plan.early_exit.first)


def _tokens(turns: Sequence[AgentTurn]) -> int | None:
    counts = [turn.tokens for turn in turns]
    known = [count for count in counts if count is not None]
    return sum(known) if len(known) == len(counts) else None


def _is_independent(taken: Sequence[AgentTurn], run: RecordedRun) -> bool:
    """Whether every turn had read only what it would have read: turns that are taken too, and before it.

    Where the record does not say what a turn had read, it may have been everything before it.
    """
    before = {(turn.agent, turn.round): index for index, turn in enumerate(taken)}
    recorded: list[tuple[str, int]] = []
    for turn in run.turns:
        place = before.get((turn.agent, turn.round))
        sources = recorded if turn.reads is None else [(read.agent, read.round) for read in turn.reads]
        if place is not None and any(before.get(source, place) >= place for source in sources):
            return False
        recorded.append((turn.agent, turn.round))
    return True
