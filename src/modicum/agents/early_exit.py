"""When could the team have stopped? Tokens saved and score, for every rule "stop when k of m agree".

Exact in what it saves; the score is that of the answer agreed on. One point is recommended: the largest saving whose
loss is bounded. It is the best of several, so verify it on other tasks (`proposal.propose_and_check` does).
"""

import msgspec

from modicum.agents.plan import Decision, EarlyExit
from modicum.agents.proposal import blank_plan
from modicum.agents.recorded import RecordedTeam
from modicum.agents.replay import replay


class ExitPoint(msgspec.Struct, frozen=True):
    agree: int
    of: int
    stopped_share: float
    """Runs that would have stopped before their end."""
    calls_saved_share: float
    tokens_saved_share: float | None
    score: float
    change: float
    change_low: float
    change_high: float

    @property
    def saved_share(self) -> float:
        return self.calls_saved_share if self.tokens_saved_share is None else self.tokens_saved_share


class ExitCurve(msgspec.Struct, frozen=True):
    points: tuple[ExitPoint, ...]
    """Most careful first. Empty without graded runs, or where nobody could agree."""
    recommended: ExitPoint | None


def curve(team: RecordedTeam, *, max_loss: float = 0.02, confidence: float = 0.95) -> ExitCurve:
    """Agents asked in the recorded order, answers of the first round counted."""
    size = len(team.graph.agents)
    points = []
    for agree in range(size, 1, -1):
        if not team.graded:
            break
        plan = blank_plan(team, Decision.REDUCE)
        replayed = replay(msgspec.structs.replace(plan, early_exit=EarlyExit(agree=agree, of=size)), team)
        change = replayed.change(confidence)
        points.append(
            ExitPoint(
                agree=agree,
                of=size,
                stopped_share=replayed.stopped_share,
                calls_saved_share=replayed.calls_saved_share,
                tokens_saved_share=replayed.tokens_saved_share,
                score=float(replayed.score_plan.mean()),
                change=change.mean,
                change_low=change.low,
                change_high=change.high,
            )
        )
    good = [one for one in points if one.change_low >= -max_loss and one.saved_share > 0]
    return ExitCurve(tuple(points), max(good, key=lambda one: one.saved_share, default=None))
