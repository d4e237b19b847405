"""What changes on trial saved: as a replay had estimated before they began, and as their hold-outs measured. And how
often the estimate came true.
"""

from collections.abc import Iterable, Sequence

import msgspec

from modicum.experiments.experiment import Arm, Experiment
from modicum.experiments.grading import Grade, TrialTask


class Saving(msgspec.Struct, frozen=True, kw_only=True):
    """Shares are of the dollars of a task; dollars are of the tasks that had the change. None: not known."""

    name: str
    state: str
    estimated_share: float | None
    """By a replay of the ledger, written down when the experiment started."""
    measured_share: float | None
    measured_low: float | None
    measured_high: float | None
    measured_usd: float | None
    measured_usd_low: float | None
    measured_usd_high: float | None
    tasks: int
    """With the change."""
    why_not_measured: str = ""
    why_not_estimated: str = ""

    @property
    def came_true(self) -> bool | None:
        """Whether the estimate lies within the measured interval; None: there is no estimate or no interval."""
        if self.estimated_share is None or self.measured_low is None or self.measured_high is None:
            return None
        return self.measured_low <= self.estimated_share <= self.measured_high


class HitRate(msgspec.Struct, frozen=True):
    """Of the savings that were both estimated and measured: how many estimates lie within what was measured."""

    hits: int
    judged: int


def measure_saving(one: Experiment, tasks: Sequence[TrialTask], found: Grade) -> Saving:
    """What an experiment saved. Where the arms cannot be compared nothing was measured."""
    cost, is_broken = found.cost, found.effect is None and found.verdict == "stop"
    ratio, low, high = (None, None, None) if is_broken else (cost.ratio, cost.low, cost.high)
    spent = sum(task.cost_usd or 0.0 for task in tasks if task.arm is Arm.CHANGED)
    return Saving(
        name=one.name,
        state=one.state.value,
        estimated_share=one.estimated_saving,
        measured_share=_share(ratio),
        measured_low=_share(high),
        measured_high=_share(low),
        measured_usd=_dollars(ratio, spent),
        measured_usd_low=_dollars(high, spent),
        measured_usd_high=_dollars(low, spent),
        tasks=found.tasks[Arm.CHANGED],
        why_not_measured=found.why if is_broken else cost.no_interval,
        why_not_estimated=one.why_not_estimated,
    )


def hit_rate(savings: Iterable[Saving]) -> HitRate:
    """How often estimates came true."""
    judged = [saving.came_true for saving in savings if saving.came_true is not None]
    return HitRate(sum(judged), len(judged))


def _share(ratio: float | None) -> float | None:
    return None if ratio is None else 1 - ratio


def _dollars(ratio: float | None, spent: float) -> float | None:
    """What the changed tasks would have cost without the change, less what they did."""
    return None if not ratio else spent / ratio - spent
