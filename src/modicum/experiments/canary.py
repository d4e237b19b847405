"""A share of runs keeps the full team; when the plan proves worse than these, it reverts by itself.

The comparison may be looked at after every run: the interval holds at all times at once (a normal-mixture confidence
sequence for bounded outcomes, Howard et al. 2021, "Time-uniform, nonparametric, nonasymptotic confidence sequences",
section 3.2). It makes no assumption but that outcomes lie in 0..1, so it is slow: a canary notices harm, it does not
prove that there is none. That is what `verification` is for.
"""

import math
from typing import Self

import msgspec

from modicum.calls import UserError


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
    """Chance to revert, ever, a plan that does no harm."""
    full: ArmOutcomes = msgspec.field(default_factory=ArmOutcomes)
    plan: ArmOutcomes = msgspec.field(default_factory=ArmOutcomes)
    reverted: str = ""
    """Why the plan is no longer used; empty while it is."""

    def record(self, outcome: float, *, full_team: bool) -> bool:
        """Adds the outcome of a run that is over. True once the plan is reverted.

        Raises:
            UserError: the outcome is not a share in 0..1.
        """
        if not 0 <= outcome <= 1:
            raise UserError(f"an outcome is {outcome}, not a share in 0..1: map the score to this range first")
        (self.full if full_team else self.plan).add(outcome)
        low, high = self.change()
        best = self.plan.mean - self.full.mean
        if not self.reverted and high < 0 and best < -self.margin:
            self.reverted = (
                f"reverted after {self.plan.runs_count + self.full.runs_count} runs: outcomes {100 * best:+.1f} points "
                f"({100 * low:+.1f} to {100 * high:+.1f}) compared with the full team"
            )
        return bool(self.reverted)

    def change(self) -> tuple[float, float]:
        """Interval, valid at any time, for plan minus full team."""
        half = _radius(self.full.runs_count, self.error / 2) + _radius(self.plan.runs_count, self.error / 2)
        best = self.plan.mean - self.full.mean
        return max(-1.0, best - half), min(1.0, best + half)

    def json(self) -> bytes:
        return msgspec.json.encode(self)

    @classmethod
    def from_json(cls, text: bytes) -> Self:
        return msgspec.json.decode(text, type=cls)


def _radius(count: int, error: float, *, tuned_for: int = 500) -> float:
    """Half width for a mean of `count` outcomes in 0..1 (variance proxy 1/4); narrowest near `tuned_for` of them."""
    if count == 0:
        return 1.0
    proxy = 0.25
    rho = proxy * tuned_for / (2 * math.log(1 / error) + math.log(1 + 2 * math.log(1 / error)))
    spread = count * proxy
    return math.sqrt((spread + rho) * (2 * math.log(1 / error) + math.log((spread + rho) / rho))) / count
