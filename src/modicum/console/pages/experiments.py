"""Experiments: changes on trial, what they were expected to save, and what their hold-outs say."""

from collections.abc import Sequence

from modicum.calls.words.percentages import percent
from modicum.console.asking import Asking
from modicum.console.page import Cell, Content, Page, Table, Tile, with_command
from modicum.console.view import View
from modicum.experiments.experiment import Arm
from modicum.experiments.grading import SpendComparison
from modicum.experiments.recorded import GradedExperiment, read_graded
from modicum.experiments.savings import hit_rate
from modicum.reports.figures import count, dollars_of


def read(asking: Asking, view: View) -> Content:  # noqa: ARG001 - the shape of all pages
    """The figures of `modicum experiment status` and `modicum experiment savings`."""
    graded = read_all(asking)
    if not graded:
        return Content()
    rate = hit_rate([one.saving for one in graded])
    saved = [one.saving.measured_usd for one in graded if one.saving.measured_usd is not None]
    return Content(
        tiles=[
            Tile(
                label="measured savings",
                value=dollars_of(sum(saved)) if saved else "unknown",
                note="by hold-outs, of the tasks that had the change" if saved else "no experiment has an interval yet",
            ),
            Tile(label="experiments", value=count(len(graded))),
            Tile(
                label="estimates that came true",
                value=f"{rate.hits} of {rate.judged}",
                note="within the measured interval",
            ),
        ],
        tables=[_savings_table(graded), _grade_table(graded)],
        notes=[f"{one.experiment.name}: {remark}" for one in graded for remark in one.grade.remarks],
    )


def read_all(asking: Asking) -> list[GradedExperiment]:
    """All experiments with their grades, shared by all viewers."""
    folder = asking.sources.state
    return asking.share(("experiments",), lambda: asking.with_store(lambda store: read_graded(store, folder)))


def _savings_table(graded: Sequence[GradedExperiment]) -> Table:
    return Table(
        name="savings",
        title="Promised and measured",
        columns=["experiment", "state", "estimated (replay)", "measured (hold-out)", "saved", "estimate came true"],
        left=2,
        rows=[
            [
                Cell(one.saving.name),
                Cell(one.saving.state.replace("_", " ")),
                Cell(_percent(one.saving.estimated_share), _value(one.saving.estimated_share)),
                Cell(
                    _interval(one.saving.measured_share, one.saving.measured_low, one.saving.measured_high),
                    _value(one.saving.measured_share),
                ),
                Cell(dollars_of(one.saving.measured_usd), _value(one.saving.measured_usd)),
                Cell({True: "yes", False: "no", None: ""}[one.saving.came_true]),
            ]
            for one in graded
        ],
        verb="modicum experiment savings",
    )


def _grade_table(graded: Sequence[GradedExperiment]) -> Table:
    return Table(
        name="experiments",
        title="Verdicts",
        columns=[
            "experiment",
            "verdict",
            "why",
            "tasks",
            "held out",
            "difference of outcome",
            "tokens, of the hold-out's",
            "dollars, of the hold-out's",
        ],
        left=3,
        rows=[_grade_row(one) for one in graded],
        verb="modicum experiment status",
    )


def _grade_row(one: GradedExperiment) -> Sequence[Cell]:
    effect = one.grade.effect
    difference = "" if effect is None else f"{effect.difference:+.3f} ({effect.low:+.3f} to {effect.high:+.3f})"
    return [
        Cell(one.experiment.name),
        Cell(one.grade.verdict.value.replace("_", " ")),
        Cell(one.experiment.why or one.grade.why),
        Cell(count(one.grade.tasks[Arm.CHANGED]), one.grade.tasks[Arm.CHANGED]),
        Cell(count(one.grade.tasks[Arm.HOLD_OUT]), one.grade.tasks[Arm.HOLD_OUT]),
        Cell(difference, "" if effect is None else effect.difference),
        Cell(_ratio(one.grade.tokens), _value(one.grade.tokens.ratio)),
        Cell(_ratio(one.grade.cost), _value(one.grade.cost.ratio)),
    ]


def _ratio(spend: SpendComparison) -> str:
    return "unknown" if spend.ratio is None else percent(spend.ratio, 0)


def _percent(share: float | None) -> str:
    return "none" if share is None else percent(share)


def _interval(share: float | None, low: float | None, high: float | None) -> str:
    if share is None:
        return "unknown"
    return percent(share) if low is None or high is None else f"{percent(share)} ({percent(low)} to {percent(high)})"


def _value(figure: float | None) -> object:
    return "" if figure is None else figure


PAGE = Page(
    name="experiments",
    title="Experiments",
    about="Changes on trial: what a replay promised, what the hold-out says, and what was decided.",
    read=read,
    for_teams=False,
    takes_where=False,
    nothing=with_command(
        "No experiment was started yet. A change is proved on live tasks, with a part of them held out "
        "(docs/experiments.md): ask whoever runs modicum to start one.",
        "modicum experiment start --help",
    ),
)
