"""Trying plans out on new runs of a team, with every token counted against a budget.

`RunTeam` is the only thing that a user has to write: run the team on a task, ask the guard before each turn.
"""

from collections.abc import Callable, Sequence
from typing import Annotated, Any, Protocol

import msgspec

from modicum.agents.graph import TeamGraph
from modicum.agents.guard import Guard
from modicum.agents.recordings import RecordedRow, RecordedTeam
from modicum.agents.team_plan import TeamPlan
from modicum.calls import UserError
from modicum.calls.words.counted_nouns import number_of

Count = Annotated[int, msgspec.Meta(ge=0)]
Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
Weight = Annotated[float, msgspec.Meta(ge=0)]
Positive = Annotated[float, msgspec.Meta(gt=0)]
AtLeastOne = Annotated[int, msgspec.Meta(ge=1)]


class TeamRun(msgspec.Struct, frozen=True):
    """What one run of a team gave and took."""

    answer: str | None
    prompt_tokens: int
    completion_tokens: int
    rows: tuple[RecordedRow, ...] = ()
    """Its turns, where they were recorded."""


RunTeam = Callable[[Any, Guard], TeamRun]
Score = Callable[[Any, TeamRun], float]


class BudgetSpent(Exception):  # noqa: N818 - not an error: the learner returns what it has
    """The next trial would not be paid for."""


class Trials:
    """Runs plans on tasks in turn and counts.

    Args:
        graph: the team.
        tasks: what to run it on; begun anew when all were used.
        run: runs the team on a task under a guard.
        score: grades the run, 0..1.
        budget_tokens: prompt and completion tokens that learning may take; None: as many as the learner wants. The
            last trial may pass it, since what a run takes is known when it is over.

    Raises:
        UserError: no tasks, or no budget.
    """

    def __init__(
        self,
        graph: TeamGraph,
        tasks: Sequence[Any],
        run: RunTeam,
        score: Score,
        budget_tokens: int | None = None,
    ) -> None:
        if not isinstance(graph, TeamGraph):
            raise UserError(f"a runner's graph is a modicum.agents.graph.TeamGraph, not {type(graph).__name__}")
        if not tasks:
            raise UserError("there are no tasks to learn from: give at least one")
        if budget_tokens is not None and budget_tokens <= 0:
            raise UserError(
                f"a learning budget of {number_of(budget_tokens, 'token')} allows no run: raise --budget-tokens"
            )
        self.graph = graph
        self.tasks = tasks
        self.budget_tokens = budget_tokens
        self.prompt_tokens = 0
        self.completion_tokens = 0
        self.trials_count = 0
        self._run = run
        self._score = score

    @property
    def tokens_spent(self) -> int:
        return self.prompt_tokens + self.completion_tokens

    def next(self, plan: TeamPlan) -> tuple[TeamRun, float]:
        """Runs the plan on the next task.

        Raises:
            BudgetSpent: the budget is used up.
            UserError: the score is not a share.
        """
        if self.budget_tokens is not None and self.tokens_spent >= self.budget_tokens:
            raise BudgetSpent
        task = self.tasks[self.trials_count % len(self.tasks)]
        done = self._run(task, plan.guard())
        self.trials_count += 1
        self.prompt_tokens += done.prompt_tokens
        self.completion_tokens += done.completion_tokens
        return done, check_score(self._score(task, done))


def check_score(score: float) -> float:
    if not 0 <= score <= 1:
        raise UserError(f"the score function gave {score}: map scores to 0..1 first")
    return float(score)


class LearnedTeam(msgspec.Struct, frozen=True, kw_only=True):
    """What a learner found, and what finding it took."""

    plan: TeamPlan
    weights: list[list[float]]
    """[round][agent]: what it ranked agents by; the lowest were dropped first."""
    spatial: list[list[list[float]]] = []
    """[round][source][reader]: edge probabilities, for learners of edges."""
    temporal: list[list[list[float]]] = []
    prompt_tokens: int = 0
    completion_tokens: int = 0
    trials_count: int = 0
    budget_spent: bool = False
    """The budget ended before the learner's schedule did."""


class Learner(Protocol):
    """Finds out what to drop, from recorded runs, from new ones, or from none."""

    def learn(self, graph: TeamGraph, *, recorded: RecordedTeam | None, trials: Trials | None) -> LearnedTeam:
        """What it would drop.

        Raises:
            UserError: it needs recorded runs or trials and was given none.
        """
        ...
