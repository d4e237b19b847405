"""When could the team have stopped? Tokens saved and score, for every rule "stop when k of m agree".

Exact in what it saves; the score is that of the answer agreed on. All points are about the same runs: those where the
record can tell the score under every rule, so that what one rule saves and scores may be held against another. One is
recommended: the largest saving whose loss is bounded over all runs, even if those left out were wrong. It is the best
of several, so verify it on other tasks (`proposal.propose_and_check` does).
"""

import msgspec
import numpy as np

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
    """Runs whose answer at that point the record cannot grade."""
    score: float | None
    """None where no run's answer can be graded; so is the change."""
    change: float | None
    change_low: float | None
    change_high: float | None
    worst_low: float
    """Lower end of the change over all runs, if every ungraded answer were wrong: what a recommendation rests on."""

    @property
    def saved_share(self) -> float:
        return self.calls_saved_share if self.tokens_saved_share is None else self.tokens_saved_share


class ExitCurve(msgspec.Struct, frozen=True):
    points: tuple[ExitPoint, ...]
    """Most careful first. Empty without graded runs, or where nobody could agree."""
    recommended: ExitPoint | None
    runs_count: int = 0
    """Runs that every point is about: those that can be graded under every rule, or all where there is none."""
    left_out_count: int = 0
    """Graded runs that are not among them."""
    score_full: float | None = None
    """Of the full team on these runs."""


def compute_exit_curve(team: RecordedTeam, *, max_loss: float = 0.02, confidence: float = 0.95) -> ExitCurve:
    """Agents asked in the recorded order, answers of the first round counted."""
    size = len(team.graph.agents)
    points = []
    blank = make_blank_plan(team, Decision.REDUCE)
    rules = [EarlyExit(agree=agree, of=size) for agree in range(size, 1, -1)] if team.graded else []
    replays = [replay(msgspec.structs.replace(blank, early_exit=rule), team) for rule in rules]
    if not replays:
        return ExitCurve((), None)
    known = np.logical_and.reduce([one.known for one in replays])
    any_known = bool(known.any())
    same = known if any_known else np.ones_like(known)
    for rule, whole in zip(rules, replays, strict=True):
        replayed = whole.part(same)
        change = replayed.change(confidence)
        points.append(
            ExitPoint(
                agree=rule.agree,
                of=size,
                stopped_share=replayed.stopped_share,
                calls_saved_share=replayed.calls_saved_share,
                tokens_saved_share=replayed.tokens_saved_share,
                ungraded_count=whole.unknown_count,
                score=float(replayed.score_plan.mean()) if any_known else None,
                change=change.mean if any_known else None,
                change_low=change.low if any_known else None,
                change_high=change.high if any_known else None,
                worst_low=whole.change(confidence).low,
            )
        )
    good = [one for one in points if one.worst_low >= -max_loss and one.saved_share > 0]
    return ExitCurve(
        tuple(points),
        max(good, key=lambda one: one.saved_share, default=None),
        runs_count=int(same.sum()),
        left_out_count=int((~same).sum()),
        score_full=float(replays[0].score_full[same].mean()) if any_known else None,
    )
