"""When could the team have stopped? Tokens saved and score, for every rule "stop when k of m agree".

Exact in what it saves; the score is that of the answer agreed on, over the runs where the record can tell it. One point
is recommended: the largest saving whose loss is bounded, even if all the others were wrong. It is the best of several,
so verify it on other tasks (`proposal.propose_and_check` does).
"""

import msgspec

from modicum.agents.plan_rules import Decision, EarlyExit
from modicum.agents.proposal import make_blank_plan
from modicum.agents.recordings import RecordedTeam
from modicum.agents.replay import replay


class ExitPoint(msgspec.Struct, frozen=True):
    agree: int
    of: int
    stopped_share: float
    """Runs that would have stopped before their end."""
    calls_saved_share: float
    tokens_saved_share: float | None
    ungraded_count: int
    """Runs whose answer at that point the record cannot grade: left out of `score` and `change`."""
    score: float | None
    """None where no run's answer can be graded; so is the change."""
    change: float | None
    change_low: float | None
    change_high: float | None
    worst_low: float
    """Lower end of the change if every ungraded answer were wrong: what a recommendation rests on."""

    @property
    def saved_share(self) -> float:
        return self.calls_saved_share if self.tokens_saved_share is None else self.tokens_saved_share


class ExitCurve(msgspec.Struct, frozen=True):
    points: tuple[ExitPoint, ...]
    """Most careful first. Empty without graded runs, or where nobody could agree."""
    recommended: ExitPoint | None


def compute_exit_curve(team: RecordedTeam, *, max_loss: float = 0.02, confidence: float = 0.95) -> ExitCurve:
    """Agents asked in the recorded order, answers of the first round counted."""
    size = len(team.graph.agents)
    points = []
    for agree in range(size, 1, -1):
        if not team.graded:
            break
        plan = make_blank_plan(team, Decision.REDUCE)
        replayed = replay(msgspec.structs.replace(plan, early_exit=EarlyExit(agree=agree, of=size)), team)
        change = replayed.change_where_known(confidence)
        any_known = change.pairs_count > 0
        points.append(
            ExitPoint(
                agree=agree,
                of=size,
                stopped_share=replayed.stopped_share,
                calls_saved_share=replayed.calls_saved_share,
                tokens_saved_share=replayed.tokens_saved_share,
                ungraded_count=replayed.unknown_count,
                score=float(replayed.score_plan[replayed.known].mean()) if any_known else None,
                change=change.mean if any_known else None,
                change_low=change.low if any_known else None,
                change_high=change.high if any_known else None,
                worst_low=replayed.change(confidence).low,
            )
        )
    good = [one for one in points if one.worst_low >= -max_loss and one.saved_share > 0]
    return ExitCurve(tuple(points), max(good, key=lambda one: one.saved_share, default=None))
