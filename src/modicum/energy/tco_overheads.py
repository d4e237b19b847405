"""What a machine of one's own costs beside its hours: spare capacity, hands, and what a worse answer takes.

Each is an assumption of its own, 0 until it is given, and a line of its own in the answer.
"""

from decimal import Decimal

import msgspec

from modicum.calls.words.percentages import percent

HOURS_PER_MONTH = 730
MILLION = 1_000_000


class QualityLoss(msgspec.Struct, frozen=True):
    """How much seldomer a task succeeds than with the API, as shares; below 0: oftener."""

    value: float
    low: float | None = None
    """Ends of its interval, where it was measured."""
    high: float | None = None
    source: str = "given"


class Overheads(msgspec.Struct, frozen=True, kw_only=True):
    """What is assumed; the defaults assume nothing."""

    spare_share: float = 0.0
    """Capacity held ready beside what serves, as a share of it; 1: every machine twice."""
    staff_hours_per_month: Decimal = Decimal(0)
    staff_usd_per_hour: Decimal = Decimal(0)
    tokens_per_task: float | None = None
    """Generated tokens of one task; None where neither quality nor review is counted."""
    quality: QualityLoss | None = None
    outcome_worth_usd: Decimal = Decimal(0)
    review_share: float = 0.0
    """Of tasks, beyond what the API's answers are reviewed."""
    review_usd: Decimal = Decimal(0)
    """Of one review."""

    def spare_usd_per_hour(self, machine_usd_per_hour: Decimal) -> Decimal:
        return machine_usd_per_hour * _decimal(self.spare_share)

    @property
    def staff_usd_hourly(self) -> Decimal:
        return self.staff_hours_per_month * self.staff_usd_per_hour / HOURS_PER_MONTH

    def quality_usd_per_million(self, loss: float | None) -> Decimal:
        """What outcomes lost with a million generated tokens are worth."""
        return Decimal(0) if loss is None else self._tasks_per_million() * _decimal(loss) * self.outcome_worth_usd

    @property
    def review_usd_per_million(self) -> Decimal:
        return self._tasks_per_million() * _decimal(self.review_share) * self.review_usd

    @property
    def usd_per_million(self) -> Decimal:
        """What does not hang on utilisation."""
        return self.quality_usd_per_million(self.quality.value if self.quality else None) + self.review_usd_per_million

    def _tasks_per_million(self) -> Decimal:
        return MILLION / _decimal(self.tokens_per_task) if self.tokens_per_task else Decimal(0)


class AssumptionLine(msgspec.Struct, frozen=True):
    """One assumption, with what it comes to and how to change it."""

    name: str
    assumed: str
    usd_per_hour: Decimal | None
    """None: it does not go by the hour."""
    usd_per_million_output: Decimal | None
    """Where it goes by the token; None: it goes by the hour."""
    options: str


def list_assumptions(machine_usd_per_hour: Decimal, assumed: Overheads) -> tuple[AssumptionLine, ...]:
    """Every assumption, those of 0 too."""
    quality, per_task = assumed.quality, "no tasks"
    if assumed.tokens_per_task:
        per_task = f"{assumed.tokens_per_task:,.0f} tokens a task"
    between = ""
    if quality is not None and quality.low is not None and quality.high is not None:
        between = f" [{100 * quality.low:+.1f}, {100 * quality.high:+.1f}]"
    lost = "not counted"
    if quality is not None:
        lost = f"{100 * quality.value:+.1f} points{between} ({quality.source}), ${assumed.outcome_worth_usd} an outcome"
    return (
        AssumptionLine("machine", "its hours", machine_usd_per_hour, None, "--rent, --buy, --years, --watts, --pue"),
        AssumptionLine(
            "redundancy",
            f"{percent(assumed.spare_share, 0)} more capacity" if assumed.spare_share else "not counted",
            assumed.spare_usd_per_hour(machine_usd_per_hour),
            None,
            "--spare-share",
        ),
        AssumptionLine(
            "staff",
            f"{assumed.staff_hours_per_month} hours a month at ${assumed.staff_usd_per_hour}"
            if assumed.staff_usd_hourly
            else "not counted",
            assumed.staff_usd_hourly,
            None,
            "--staff-hours, --staff-usd",
        ),
        AssumptionLine(
            "quality lost",
            lost if quality is None else f"{lost}, {per_task}",
            None,
            assumed.quality_usd_per_million(quality.value if quality else None),
            "--quality-loss or --compared, --worth, --tokens-per-task",
        ),
        AssumptionLine(
            "human review",
            f"{percent(assumed.review_share, 0)} of tasks at ${assumed.review_usd}, {per_task}"
            if assumed.review_share
            else "not counted",
            None,
            assumed.review_usd_per_million,
            "--review-share, --review-usd, --tokens-per-task",
        ),
    )


def _decimal(number: float) -> Decimal:
    return Decimal(str(number))
