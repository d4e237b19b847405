"""A comparison for people: tables that fit 80 columns, verdicts, and what cannot be said."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from modicum.calls.words.percentages import percent
from modicum.cli.terminal import output

if TYPE_CHECKING:
    from modicum.experiments.comparison import ArmComparison
    from modicum.experiments.comparison_arms import ComparedArm, ComparedFigure
    from modicum.experiments.comparison_pairs import ComparedPair, ComparedRatio

NAME_WIDTH = 19


def print_comparison(comparison: "ArmComparison") -> None:
    _print_success(comparison)
    _print_spent(comparison.arms)
    _print_per_success(comparison)
    _print_ratios(comparison.pairs, comparison.baseline)
    rules = comparison.rules
    if comparison.pairs:
        click.echo(f"\nVerdicts (same outcomes: a loss of success of at most {rules.margin * 100:g} points):")
    for pair in comparison.pairs:
        for sentence in pair.sentences:
            output.print_text(f"- {sentence}")
    if comparison.remarks:
        click.echo("\nTo know:")
        for remark in comparison.remarks:
            output.print_text(f"- {remark}")


def comparison_rows(comparison: "ArmComparison") -> list[dict[str, Any]]:
    """A row for each arm with the fields of `--json`, a column for each measure (`sums.cost_usd`); those of its pair
    begin with `pair.`, and the baseline has none.
    """
    pairs = {pair.arm: pair for pair in comparison.pairs}
    rows = []
    for arm in comparison.arms:
        row = _columns(arm)
        if pair := pairs.get(arm.name):
            row |= {f"pair.{name}": value for name, value in _columns(pair).items()}
        rows.append(row)
    return rows


def _columns(figures: "ComparedArm | ComparedPair") -> dict[str, Any]:
    columns: dict[str, Any] = {}
    for name in figures.__struct_fields__:
        value = getattr(figures, name)
        if isinstance(value, dict):
            columns |= {f"{name}.{measure}": one for measure, one in value.items()}
        elif name != "sentences":
            columns[name] = value
    return columns


def _name(name: str) -> str:
    """Both ends of a long name: arms often differ in the last letters alone."""
    return name if len(name) <= NAME_WIDTH else f"{name[:10]}…{name[-(NAME_WIDTH - 11) :]}"


def _print_success(comparison: "ArmComparison") -> None:
    best = {point.name for point in comparison.line.points if point.on_line} if comparison.line else set()
    ks = {arm.pass_hat_k.k for arm in comparison.arms if arm.pass_hat_k}
    with_repeats, partial = bool(ks), any(arm.mean_outcome is not None for arm in comparison.arms)
    columns = ["arm", "tasks", "runs", "success", "95 %"]
    columns += [f"pass^{ks.pop()}" if len(ks) == 1 else "pass^k"] if with_repeats else []
    columns += ["score"] if partial else []
    columns += ["best line"] if comparison.line else []
    rows = []
    for arm in comparison.arms:
        row = [_name(arm.name), output.count(arm.tasks), output.count(arm.runs)]
        row += [_percent(arm.success.value), _percents(arm.success)]
        if with_repeats:
            row.append("" if arm.pass_hat_k is None else _percent(arm.pass_hat_k.value))
        if partial:
            row.append("" if arm.mean_outcome is None else f"{arm.mean_outcome:.3f}")
        if comparison.line:
            row.append("*" if arm.name in best else "")
        rows.append(row)
    output.print_table(columns, rows)


def _print_spent(arms: "Sequence[ComparedArm]") -> None:
    """A run of each arm, by what any arm knows."""
    all_columns = {
        "prompt_tokens": "prompt",
        "completion_tokens": "completion",
        "total_tokens": "tokens",
        "cost_usd": "cost",
        "seconds": "seconds",
        "joules": "joules",
    }
    measures = [measure for measure in all_columns if any(arm.runs_counted[measure] for arm in arms)]
    if not measures:
        return
    rows = []
    for arm in arms:
        row = [_name(arm.name)]
        for measure in measures:
            figure = arm.per_run[measure]
            text = "unknown" if figure is None else _figure(measure, figure)
            row.append(text + ("*" if 0 < arm.runs_counted[measure] < arm.runs else ""))
        rows.append(row)
    click.echo()
    output.print_table(["per run", *(all_columns[measure] for measure in measures)], rows)
    if any(0 < arm.runs_counted[measure] < arm.runs for arm in arms for measure in measures):
        click.echo("* over the runs that know it; others do not")


def _print_per_success(comparison: "ArmComparison") -> None:
    titles = {"cost_usd": "cost", "total_tokens": "tokens", "joules": "joules"}
    measures = [
        measure for measure in titles if any(arm.per_success[measure].value is not None for arm in comparison.arms)
    ]
    if not measures:
        return
    columns = ["per success", *(column for measure in measures for column in (titles[measure], "95 %"))]
    rows = []
    for arm in comparison.arms:
        row = [_name(arm.name)]
        for measure in measures:
            each = arm.per_success[measure]
            row += ["unknown" if each.value is None else _figure(measure, each.value), _between(measure, each)]
        rows.append(row)
    click.echo()
    output.print_table(columns, rows)


def _print_ratios(pairs: "Sequence[ComparedPair]", baseline: str) -> None:
    titles = {"cost_usd": "cost", "total_tokens": "tokens", "completion_tokens": "completion", "seconds": "time"}
    measures = {
        measure: title
        for measure, title in titles.items()
        if any(pair.ratios[measure].value is not None for pair in pairs)
    }
    if not measures:
        return
    shown = list(measures)[:2]
    columns = ["times baseline", "tasks"]
    columns += [column for measure in shown for column in (measures[measure], "95 %")]
    rows = []
    for pair in pairs:
        row = [_name(pair.arm), output.count(pair.tasks)]
        for measure in shown:
            row += _ratio(pair.ratios[measure])
        rows.append(row)
    click.echo()
    output.print_table(columns, rows)
    output.print_text(f"baseline: {baseline}; geometric mean over common tasks, interval over tasks")


def _ratio(ratio: "ComparedRatio") -> list[str]:
    if ratio.value is None:
        return ["unknown", ""]
    interval = "" if ratio.low is None or ratio.high is None else f"{ratio.low:.3f} to {ratio.high:.3f}"
    return [f"{ratio.value:.3f}", interval]


def _percent(share: float | None) -> str:
    return "unknown" if share is None else percent(share)


def _percents(figure: "ComparedFigure") -> str:
    return "" if figure.low is None or figure.high is None else f"{figure.low * 100:.1f} to {figure.high * 100:.1f}"


def _between(measure: str, figure: "ComparedFigure") -> str:
    if figure.low is None or figure.high is None:
        return ""
    return f"{_figure(measure, figure.low)} to {_figure(measure, figure.high)}"


def _figure(measure: str, figure: float) -> str:
    if measure == "cost_usd":
        return output.dollars_of(float(f"{figure:.4g}"))
    if measure == "seconds":
        return f"{figure:,.1f}"
    if figure >= 1e6:
        return f"{figure / 1e6:,.2f} M"
    return f"{figure:,.0f}" if figure >= 100 else f"{figure:,.3g}"
