"""What `modicum experiment status` prints of one experiment."""

from typing import TYPE_CHECKING

import click

from modicum.calls.words.counted_nouns import number_of
from modicum.calls.words.percentages import percent
from modicum.cli.terminal import output
from modicum.experiments.experiment import Arm, ExperimentState

if TYPE_CHECKING:
    from modicum.experiments.experiment import Experiment
    from modicum.experiments.grading import Grade, SpendComparison
    from modicum.experiments.verifier_errors import VerifierErrors


def print_status(one: "Experiment", found: "Grade", why_safe: str, errors: "VerifierErrors | None" = None) -> None:
    """The state, the arms, the difference, what is saved, and how many more tasks are needed."""
    state = one.state.value.replace("_", " ")
    click.echo(f"{one.name}: {state}" + (f" since {one.ended_at:%Y-%m-%d %H:%M} UTC" if one.ended_at else ""))
    if one.why:
        output.print_text(f"  why: {one.why}")
    output.print_text(f"  verdict: {found.verdict.value.replace('_', ' ')}: {found.why}")
    if why_safe and one.state is ExperimentState.RUNNING:
        output.print_text(
            f"  found safe: {why_safe}; 'modicum experiment stop {one.name} --keep' gives all calls the change"
        )
    click.echo(
        f"  tasks: {found.tasks[Arm.CHANGED]:,} with the change, {found.tasks[Arm.HOLD_OUT]:,} held out; graded: "
        f"{found.graded[Arm.CHANGED]:,} and {found.graded[Arm.HOLD_OUT]:,}"
    )
    for what, spend in (("effective tokens", found.tokens), ("dollars", found.cost)):
        output.print_text(f"  {what} of a task: {_describe_spend(spend)}")
    if errors is not None:
        output.print_text(f"  verifier: {_describe_errors(errors)}")
    if one.state is ExperimentState.RUNNING:
        for line in _describe_needs(found):
            output.print_text(f"  {line}")
    for remark in found.remarks:
        output.print_text(f"  {remark}")


def status_document(one: "Experiment", found: "Grade", errors: "VerifierErrors | None" = None) -> dict[str, object]:
    """The same for programs."""
    effect = found.effect
    return {
        "verdict": found.verdict.value,
        "verdict_why": found.why,
        "tasks": found.tasks,
        "tasks_graded": found.graded,
        "outcome_changed": effect.changed_mean if effect else None,
        "outcome_hold_out": effect.hold_out_mean if effect else None,
        "difference": effect.difference if effect else None,
        "difference_low": effect.low if effect else None,
        "difference_high": effect.high if effect else None,
        "more_tasks_until_safe": effect.more_tasks_until_safe if effect else None,
        "more_tasks_until_rollback": effect.more_tasks_until_harm if effect else None,
        "effective_tokens": _spend_document(found.tokens),
        "cost_usd": _spend_document(found.cost),
        "remarks": list(found.remarks),
        "tag": one.tag,
        "verifier": errors,
    }


def _describe_errors(errors: "VerifierErrors") -> str:
    tasks = number_of(errors.tasks, "task")
    begun = f"{tasks} began at the cheap model, {errors.tasks_refused:,} had an answer refused"
    if errors.share is None or errors.wrong_low is None or errors.wrong_high is None:
        return f"{begun}; none that was believed has the outcome yet"
    return (
        f"{begun}; of {errors.graded:,} that were believed and graded, {errors.wrong:,} failed: "
        f"{percent(errors.share)} ({100 * errors.wrong_low:.1f} to {100 * errors.wrong_high:.1f})"
    )


def _spend_document(spend: "SpendComparison") -> dict[str, object]:
    return {
        "ratio": spend.ratio,
        "low": spend.low,
        "high": spend.high,
        "tasks": spend.tasks,
        "no_interval": spend.no_interval,
    }


def _describe_spend(spend: "SpendComparison") -> str:
    if spend.ratio is None:
        return f"unknown: {spend.no_interval}"
    if spend.low is None or spend.high is None:
        return f"{percent(spend.ratio, 0)} of the hold-out's, without an interval: {spend.no_interval}"
    return f"{percent(spend.ratio, 0)} of the hold-out's ({100 * spend.low:.0f} to {100 * spend.high:.0f})"


def _describe_needs(found: "Grade") -> list[str]:
    effect = found.effect
    if effect is None or effect.is_safe:
        return []
    lines = []
    if effect.more_tasks_until_safe is not None:
        lines.append(f"about {effect.more_tasks_until_safe:,} more graded tasks find it safe, if it does no harm")
    if effect.more_tasks_until_harm is not None:
        lines.append(f"about {effect.more_tasks_until_harm:,} more roll it back, if the loss is as large as it looks")
    return lines
