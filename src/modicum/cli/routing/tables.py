"""How `modicum route` prints its figures."""

from collections.abc import Sequence

import click

from modicum.calls.words.counted_nouns import number_of
from modicum.calls.words.percentages import percent
from modicum.cli.terminal.output import print_table
from modicum.routing.evaluation import Evaluation, FoldDifference
from modicum.routing.model_families import LeftOutFamily
from modicum.routing.training import TrainedRouter


def _interval(difference: FoldDifference | None, factor: float = 1.0, places: int = 3) -> str:
    if difference is None:
        return ""
    low, high = difference.low * factor, difference.high * factor
    return f"{difference.mean * factor:+.{places}f} [{low:+.{places}f}, {high:+.{places}f}]"


def print_evaluation(evaluation: Evaluation, unit: str) -> None:
    held = "whole families left out" if evaluation.families_left_out else "tasks drawn by lot"
    click.echo(
        f"{evaluation.weak} or {evaluation.strong}: {number_of(evaluation.tasks_count, 'task')}, "
        f"{number_of(evaluation.folds_count, 'fold')}, {held}"
    )
    if not evaluation.routers:
        click.echo(f"{evaluation.strong} is no better than {evaluation.weak}: there is no gain to keep a share of.")
    rows = [
        (each.name, f"{each.apgr:.3f}", f"{each.cpt50:.1f}", f"{each.cpt80:.1f}", _interval(each.to_length))
        for each in evaluation.routers
    ]
    if rows:
        print_table(("router", "APGR", "CPT(50 %)", "CPT(80 %)", "APGR to length, 95 %"), rows)
    click.echo()
    print_table(
        ("model alone", "outcome", f"{unit} a call"),
        [
            (name, f"{good:.3f}", "unknown" if cost is None else f"{cost:.4g}")
            for name, (good, cost) in evaluation.singles.items()
        ],
    )
    click.echo()
    print_table(
        ("router", "may lose", "outcome, points, 95 %", "saving, %, 95 %"),
        [
            (each.name, f"{each.loss * 100:g}", _interval(each.outcome_change, 100, 2), _interval(each.saving, 100, 1))
            for each in evaluation.floors
        ],
    )


def print_left_out_families(left_out: Sequence[LeftOutFamily]) -> None:
    """A row for each router and family that nothing was learned from."""
    if not left_out:
        return
    click.echo("\nmodels that it was not trained on: each family left out, learned from the others")
    print_table(
        ("family", "router", "APGR", "CPT(80 %)", "APGR to length, 95 %"),
        [
            (one.family, each.name, f"{each.apgr:.3f}", f"{each.cpt80:.1f}", _interval(each.to_length))
            for one in left_out
            for each in one.routers
        ],
    )
    for one in left_out:
        lacks = "" if one.routers else "; the second is no better, so there is no gain to keep a share of"
        click.echo(f"{one.family}: {one.weak} or {one.strong}{lacks}")


def print_training(trained: TrainedRouter, path: str, size: int, remarks: Sequence[str]) -> None:
    terms, reached = trained.router.terms, trained.calibration
    saving = "unknown" if reached.saving is None else percent(reached.saving)
    click.echo(
        f"{path}: {size / 1e6:.2f} MB, {terms.provenance.learner}, {number_of(terms.provenance.tasks_count, 'task')}"
    )
    click.echo(
        f"on tasks not learned from: outcome {reached.outcome:.3f} (best single {reached.best_single}: "
        f"{reached.best_single_outcome:.3f}), {reached.unit} saved {saving}; holds until {terms.provenance.expires_on}"
    )
    for remark in remarks:
        click.echo(f"- {remark}")
