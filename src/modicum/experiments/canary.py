"""A share of runs keeps the full team; when the plan proves worse than these, it reverts by itself.

Which runs are canaries is drawn by lot, with a share that is known, so each outcome says something of the difference
whatever runs are like (`statistics/randomised.py`), and a bet on it may be looked at after every run
(`statistics/running_bets.py`). The share adapts: it is larger while little is known, and once a loss is suspected half
of the runs are canaries, until it is proven or the suspicion goes. The share of a run is settled before its lot falls.
"""

import math
from typing import NamedTuple, Self

import msgspec
import numpy as np

from modicum.calls import UserError
from modicum.calls.words.counted_nouns import number_of
from modicum.statistics.betting import tasks_for_evidence
from modicum.statistics.randomised import next_effect_figure
from modicum.statistics.running_bets import RunningBets

SUSPECTED = math.log(2)
"""Evidence of harm from which half of the runs are canaries."""
HINTED = 0.0
"""Evidence from which a fifth of them are."""
MOST = 0.5
HINTED_SHARE = 0.2
LAG = 1.5
"""How many times as many runs notice a loss in four cases of five as the usual pace of the evidence says: simulated."""


class ArmOutcomes(msgspec.Struct, omit_defaults=True):
    """Outcomes of the runs of one kind."""

    runs_count: int = 0
    outcome_sum: float = 0.0

    @property
    def mean(self) -> float:
        return self.outcome_sum / self.runs_count if self.runs_count else 0.0

    def add(self, outcome: float) -> None:
        self.runs_count += 1
        self.outcome_sum += outcome


class CanaryWatch(msgspec.Struct, omit_defaults=True, kw_only=True):
    """Outcomes of plan runs and canary runs, and the verdict so far. Keep it as JSON between processes."""

    margin: float = 0.02
    """The loss that the team's owner accepts."""
    error: float = 0.05
    """Chance that the interval ever leaves the truth. Half of it is the chance ever to revert a plan without harm."""
    full: ArmOutcomes = msgspec.field(default_factory=ArmOutcomes)
    plan: ArmOutcomes = msgspec.field(default_factory=ArmOutcomes)
    bets: bytes = b""
    """`RunningBets`, packed."""
    reverted: str = ""
    """Why the plan is no longer used; empty while it is."""

    @property
    def runs_count(self) -> int:
        return self.full.runs_count + self.plan.runs_count

    def canary_share(self, base: float) -> float:
        """The share of canaries from here on, where the plan says `base`. 0 stays 0: then nothing is watched."""
        if base <= 0 or self.reverted:
            return base
        return adapted_share(base, self.runs_count, RunningBets.unpack(self.bets).evidence_below(0.0))

    def record(self, outcome: float, *, full_team: bool, share: float) -> bool:
        """Adds the outcome of a run that is over. True once the plan is reverted.

        Args:
            outcome: in 0..1.
            full_team: the run was a canary.
            share: the chance with which it was to be one (`Guard.canary_share`).

        Raises:
            UserError: the outcome is not a share in 0..1, or the share leaves no lot.
        """
        if not 0 <= outcome <= 1:
            raise UserError(f"an outcome is {outcome}, not a share in 0..1: map the score to this range first")
        if not 0 < share < 1:
            raise UserError(
                f"a canary share of {share} leaves no lot: record runs whose guard had a share between 0 and 1"
            )
        bets = RunningBets.unpack(self.bets)
        centre = (self.full.outcome_sum + self.plan.outcome_sum + 1) / (self.runs_count + 2)
        bets.add(*next_effect_figure(outcome, changed=not full_team, share=1 - share, centre=centre))
        self.bets = bets.pack()
        (self.full if full_team else self.plan).add(outcome)
        best = self.plan.mean - self.full.mean
        low, high = bets.interval(self.error)
        if not self.reverted and self.full.runs_count and high <= 0 and best < -self.margin:
            self.reverted = (
                f"reverted after {number_of(self.runs_count, 'run')}: outcomes {100 * best:+.1f} points "
                f"(95 %: {100 * low:+.1f} to {100 * high:+.1f}) compared with the full team"
            )
        return bool(self.reverted)

    def change(self) -> tuple[float, float]:
        """Interval, valid at any time, for plan minus full team."""
        return RunningBets.unpack(self.bets).interval(self.error)

    def json(self) -> bytes:
        return msgspec.json.encode(self)

    @classmethod
    def from_json(cls, text: bytes) -> Self:
        return msgspec.json.decode(text, type=cls)


def adapted_share(base: float, runs: int, evidence: float) -> float:
    """The share of canaries after so many runs, with this evidence of harm (natural logarithm)."""
    if evidence > SUSPECTED:
        return max(base, MOST)
    # In steps, so that workers who hear of outcomes at different times seldom differ.
    start = max(base, min(MOST, 100 / (runs // 100 * 100 + 200)))
    return max(start, HINTED_SHARE) if evidence > HINTED else start


class FindableLoss(NamedTuple):
    """A loss, and after about how many runs canaries have noticed it in four cases of five; None: never."""

    loss: float
    runs: int | None


def findable_losses(
    score: float, error: float = 0.05, losses: tuple[float, ...] = (0.05, 0.1, 0.2)
) -> list[FindableLoss]:
    """What canaries can find, where the full team has this mean outcome.

    Worked out for a fifth of canaries, which lies between the shares before and after a loss is suspected;
    `scripts/bench intervals` sets these numbers beside simulated series.
    """
    found = []
    for loss in losses:
        left = max(0.0, score - loss)
        spread = score * (1 - score) / HINTED_SHARE + left * (1 - left) / (1 - HINTED_SHARE)
        reach = math.sqrt(max(spread, 0.05))
        lowest = -max(score / HINTED_SHARE, reach)
        runs = tasks_for_evidence(np.array([-reach, reach]), np.full(2, lowest), 0.0, loss, error / 2)
        found.append(FindableLoss(loss, None if runs is None else math.ceil(LAG * runs)))
    return found
