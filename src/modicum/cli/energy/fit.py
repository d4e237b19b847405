"""`modicum energy fit`: the step law of a bench, or the split of a recorded watch."""

from pathlib import Path

import click

from modicum.calls.errors import UserError
from modicum.calls.words.percentages import percent
from modicum.cli.energy.options import format_figure, print_problems
from modicum.cli.shared_options import json_option
from modicum.cli.terminal.quantity import Quantity


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True))
@click.option("--experts", metavar="K/N", help="Routed experts that each token uses / all routed experts, e.g. 10/72.")
@click.option("--picture", type=click.Path(path_type=Path), help="Draw the trade-off curve into this SVG file.")
@click.option(
    "--within-ms",
    type=Quantity(0, min_open=True),
    help="Count users per GPU with at most this many milliseconds between tokens; marked in --picture.",
)
@json_option
def command(
    files: tuple[Path, ...], experts: str | None, picture: Path | None, within_ms: float | None, as_json: bool
) -> int:
    """Compute what a step and a token cost.

    From points of a bench: joules per token = e0 + e1/B. From the log of a watch: idle, per step, per prompt token, per
    generated token. Exits with status 1 if a figure cannot be computed.

    \b
    Examples:
      modicum energy fit points.json
      modicum energy fit points.json --experts 10/72 --picture trade.svg --within-ms 50
      modicum energy fit run.jsonl --experts 8/128 --json
    """
    from modicum.cli.energy.measurements import read_points, read_recording

    if read_recording(files[0]) is not None:
        if len(files) > 1:
            raise UserError("give one recorded watch at a time: its counters belong to one machine")
        return _fit_watch(files[0], experts, as_json=as_json)
    points = read_points(files)
    status = _fit_bench(points, experts, within_ms, as_json=as_json)
    if picture is not None:
        from modicum.cli.energy.bench import draw_picture

        draw_picture(picture, points, within_ms)
    return status


def _fit_watch(path: Path, experts: str | None, *, as_json: bool) -> int:
    from modicum.cli.energy.measurements import parse_expert_share
    from modicum.cli.energy.watch import print_split
    from modicum.cli.terminal.output import print_json
    from modicum.energy.watch_log import read_log
    from modicum.energy.watch_totals import make_report

    recording = read_log(path)
    result = make_report(recording.samples, str(path), recording.gpus, parse_expert_share(experts))
    if as_json:
        print_json({"split": result.split, "windows": result.windows, "problems": [str(p) for p in result.problems]})
    else:
        print_split(result)
        print_problems([*recording.problems, *result.problems])
    known = result.split is not None and all(term.value is not None for term in result.split.terms)
    return 0 if known else 1


def _fit_bench(points: object, experts: str | None, within_ms: float | None, *, as_json: bool) -> int:
    from modicum.cli.energy.bench import answer, print_answers
    from modicum.cli.energy.measurements import parse_expert_share
    from modicum.cli.terminal.output import print_json
    from modicum.energy.bench import BenchResult
    from modicum.energy.step_law import fit_step_law
    from modicum.energy.tradeoff import make_curve

    assert isinstance(points, BenchResult)  # noqa: S101 - the caller read it
    law = fit_step_law(points.points, parse_expert_share(experts))
    if as_json:
        answers = answer(make_curve(points.points), within_ms, points)
        print_json({"model": points.model, "law": law, "batch_near_floor": law.batch_near_floor, **answers})
        return 0
    click.echo(f"{points.model}: joules per generated token at batch B, idle power while serving included")
    click.echo(f"  per token        {format_figure(law.per_token, 'J')}")
    click.echo(f"  per step         {format_figure(law.per_step, 'J')}, shared by B")
    if law.expert_share:
        click.echo(f"  experts per step {format_figure(law.per_step_experts, 'J')} when all are used, shared by B")
    if law.per_prompt_token is not None:
        click.echo(f"  per prompt token {format_figure(law.per_prompt_token, 'J')}")
    else:
        click.echo(
            "  per prompt token not identifiable: only one prompt length was measured, so its energy is in 'per token'"
        )
    if law.mean_error is not None:
        click.echo(f"a point left out of the fit is predicted with a mean error of {percent(law.mean_error)}")
    floor = law.batch_near_floor
    most = max(point.concurrency for point in points.points)
    click.echo(
        f"from concurrency {floor:,.0f} on, a token costs at most 10 % more than the lowest possible"
        + (f" (more than the highest measured concurrency, {most})" if floor > most else "")
        if floor is not None
        else "no batch is within 10 % of a lowest cost"
    )
    print_answers(make_curve(points.points), within_ms, points)
    return 0
