"""`modicum energy calls`: the energy of a recorded watch, shared out over the calls that were served."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from modicum.calls.errors import UserError
from modicum.cli.energy.options import figure, print_problems

if TYPE_CHECKING:
    from modicum.energy.attribution import Attribution


@click.command()
@click.argument("log", type=click.Path(path_type=Path, exists=True))
@click.option(
    "--calls", "calls_path", type=click.Path(path_type=Path, exists=True), required=True, help="One JSON a line."
)
@click.option("--pue", default=1.0, show_default=True, help="Energy of the site over energy of its computers.")
@click.option("--node-watts", default=0.0, show_default=True, help="Power of the machine beside its GPUs.")
@click.option("--grid", type=float, metavar="G", help="Grams of CO2 equivalent per kWh of your electricity.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def command(log: Path, calls_path: Path, pue: float, node_watts: float, grid: float | None, as_json: bool) -> int:
    """Share a recorded watch's energy out over the calls that were served in it.

    Shares, idle and unseen work sum to what was measured. Each line of the calls' file is an object with call_id,
    started, first_token, finished (seconds since 1970), uncached_prompt_tokens and generated_tokens.

    \b
    Examples:
      modicum energy calls run.jsonl --calls calls.jsonl
      modicum energy calls run.jsonl --calls calls.jsonl --grid 56 --pue 1.2 --node-watts 400 --json
    """
    from modicum.cli.output import print_json
    from modicum.energy.attribution import attribute, read_calls
    from modicum.energy.carbon import Facility
    from modicum.energy.log import read_log
    from modicum.energy.watch import report

    facility = Facility(pue, node_watts, grid)
    facility.check()
    recording = read_log(log)
    result = report(recording.samples, str(log))
    if result.figures is None:
        raise UserError(f"{log}: holds no interval with energy; nothing can be shared out")
    offset = recording.samples[0].wall - recording.samples[0].at
    calls, problems = read_calls(calls_path, offset)
    if not calls:
        raise UserError(f"{calls_path}: holds no usable call; each line is an object as 'energy calls --help' says")
    found = attribute(result.intervals, calls, result.split)
    seconds = result.figures.seconds
    kwh = facility.kilowatt_hours(found.measured_joules, seconds)
    grams = facility.grams_co2(found.measured_joules, seconds)
    problems = [*recording.problems, *result.problems, *problems]
    if as_json:
        print_json(
            {
                "attribution": found,
                "kilowatt_hours": kwh,
                "covers": facility.covers,
                "grams_co2": grams,
                "problems": [str(problem) for problem in problems],
            }
        )
        return 0
    _show(found)
    carbon = "carbon unknown: give --grid" if grams is None else f"{grams:,.1f} g CO2e at {grid:g} g/kWh"
    click.echo(f"{kwh:.4g} kWh ({facility.covers}); {carbon}")
    print_problems(problems)
    return 0


def _show(found: "Attribution") -> None:
    from modicum.cli.output import print_table

    top = sorted(found.calls, key=lambda call: -call.joules)[:20]
    rows = [
        (
            call.call_id,
            figure(call.joules, "J"),
            figure(call.idle_joules, "J"),
            f"{call.generated_tokens:,}",
            "by rule: shorter than 2 s" if call.short else "",
        )
        for call in top
    ]
    print_table(
        ("call", "active", "share of idle", "tokens", "remark"),
        rows,
        title=f"the {len(top)} dearest of {len(found.calls)}",
    )
    active = sum(call.joules for call in found.calls)
    click.echo(f"calls       {active:,.0f} J")
    click.echo(f"unseen      {found.unseen_joules:,.0f} J (tokens that none of these calls explains)")
    click.echo(f"idle        {found.idle_joules:,.0f} J")
    click.echo(f"measured    {found.measured_joules:,.0f} J; shared out by {found.rule}")
