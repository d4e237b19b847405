"""`modicum energy whatif`: what a change would do to the joules of a request."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from modicum.calls.errors import UserError
from modicum.calls.words.counted_nouns import number_of
from modicum.calls.words.percentages import percent
from modicum.cli.energy.options import Share, format_figure, print_problems
from modicum.cli.shared_options import json_option, pass_options
from modicum.cli.terminal.quantity import Quantity

if TYPE_CHECKING:
    from modicum.energy.step_law import StepLaw
    from modicum.energy.whatif import Workload


@dataclass(frozen=True, kw_only=True)
class WhatIfOptions:
    files: tuple[Path, ...]
    input_cut: float
    output_cut: float
    cache_hit: float | None
    batch: float | None
    prompt_tokens: float | None
    output_tokens: float | None
    now_batch: float | None
    power_cap: float | None
    experts: str | None
    as_json: bool


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True))
@click.option("--input-cut", type=Share(), default="0", help="Share of prompt tokens to leave out, e.g. 40%.")
@click.option("--output-cut", type=Share(), default="0", help="Share of generated tokens to leave out.")
@click.option("--cache-hit", type=Share(), help="Share of the prompt that a prefix cache would hold.")
@click.option("--batch", type=Quantity(), help="Concurrent requests after the change. Default: as measured.")
@click.option(
    "--prompt", "prompt_tokens", type=Quantity(0), help="Prompt tokens of a request now. Default: as measured."
)
@click.option(
    "--output",
    "output_tokens",
    type=Quantity(0, min_open=True),
    help="Generated tokens of a request now. Default: as measured.",
)
@click.option("--at", "now_batch", type=Quantity(1), help="Concurrent requests now. Default: as measured.")
@click.option(
    "--power-cap",
    type=Quantity(),
    metavar="WATTS",
    help="A power limit for all GPUs together; needs points of a bench.",
)
@click.option("--experts", metavar="K/N", help="Routed experts that each token uses / all routed experts, e.g. 10/72.")
@json_option
@pass_options(WhatIfOptions)
def command(options: WhatIfOptions) -> int:
    """Predict what another batch, shorter outputs, fewer prompt tokens or a power cap would do.

    Answers come from a law that is fitted to a bench or to a watch. A question that the measurements cannot answer is
    refused.

    \b
    Examples:
      modicum energy whatif run.jsonl --output-cut 20%
      modicum energy whatif points.json --at 8 --batch 32
      modicum energy whatif run.jsonl --input-cut 40% --cache-hit 60%
      modicum energy whatif points.json --at 64 --power-cap 400
    """
    from modicum.cli.terminal.output import print_json, print_table
    from modicum.energy.whatif import LoadChange, what_if

    if options.power_cap is not None:
        if options.now_batch is None:
            raise UserError("--power-cap needs --at: the number of concurrent requests, one that the bench measured")
        return _print_power_cap(options.files, int(options.now_batch), options.power_cap, as_json=options.as_json)
    law, base, seen = _fit_law(options.files, options.experts)
    given = {
        "prompt_tokens": options.prompt_tokens,
        "output_tokens": options.output_tokens,
        "batch": options.now_batch,
    }
    base = msgspec.structs.replace(base, **{name: value for name, value in given.items() if value is not None})
    change = LoadChange(options.input_cut, options.output_cut, options.batch, options.cache_hit)
    answer = what_if(law, base, change, seen)
    if options.as_json:
        print_json({"base": base, "after": change.applied(base), "law": law, "answer": answer, "saving": answer.saving})
        return 0
    rows = [
        (name, format_figure(before, "J"), format_figure(after, "J"))
        for name, (before, after) in answer.by_part.items()
    ]
    print_table(
        ("joules of a request", "now", "after the change"),
        rows,
        footer=("in all", format_figure(answer.before_joules, "J"), format_figure(answer.after_joules, "J")),
    )
    click.echo(
        f"{'saves' if answer.saving >= 0 else 'costs'} {percent(abs(answer.saving))} (estimated from the fitted law)"
    )
    for remark in answer.remarks:
        click.echo(f"note: {remark}")
    return 0


def _fit_law(files: tuple[Path, ...], experts: str | None) -> "tuple[StepLaw, Workload, list[float]]":
    """The law, the workload that was measured, and the batches that it was measured at."""
    from modicum.cli.energy.measurements import parse_expert_share, read_points, read_recording
    from modicum.energy.energy_split import LEAST_WINDOWS
    from modicum.energy.step_law import fit_step_law, make_step_law
    from modicum.energy.watch_totals import make_report
    from modicum.energy.whatif import Workload

    recording = read_recording(files[0])
    if recording is None:
        result = read_points(files)
        law = fit_step_law(result.points, parse_expert_share(experts))
        middle = sorted(result.points, key=lambda point: point.concurrency)[len(result.points) // 2]
        return (
            law,
            Workload(middle.prompt_tokens, middle.output_tokens, middle.concurrency),
            [float(point.concurrency) for point in result.points],
        )
    found = make_report(recording.samples, str(files[0]), recording.gpus)
    if found.split is None or found.figures is None:
        print_problems([*recording.problems, *found.problems])
        if found.figures is None:
            raise UserError(f"{files[0]}: holds no usable interval; the notes say what was missing")
        raise UserError(
            f"{files[0]}: too short for a fit ({number_of(found.windows, 'window')} of 5 s or more, {LEAST_WINDOWS} "
            "are needed); watch for a few minutes under load that varies"
        )
    totals = found.figures
    # A watch does not see single requests: figures are per generated token, with the prompts that came along.
    base = Workload(
        prompt_tokens=totals.prompt_tokens / totals.generated_tokens if totals.generated_tokens else 0.0,
        output_tokens=1.0,
        batch=max(1.0, totals.mean_batch or 1.0),
        cached_share=totals.cache_hit_share or 0.0,
    )
    return make_step_law(found.split), base, list(found.batches)


def _print_power_cap(files: tuple[Path, ...], concurrency: int, cap: float, *, as_json: bool) -> int:
    from modicum.cli.energy.measurements import read_points
    from modicum.cli.terminal.output import print_json
    from modicum.energy.whatif import find_power_cap

    answer = find_power_cap(read_points(files).points, concurrency, cap)
    if as_json:
        print_json(answer)
    else:
        click.echo(
            f"{format_figure(answer.joules_per_token_before, 'J/token')} ->"
            f" {format_figure(answer.joules_per_token_after, 'J/token')},"
            f" {answer.speed_before:,.0f} -> {answer.speed_after:,.0f} tokens/s: {answer.reason}"
        )
    return 0
