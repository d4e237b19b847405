"""`modicum energy calls`: the energy of watched servers, shared out over the calls that they served."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from modicum.calls.errors import UserError
from modicum.calls.problem import Problem
from modicum.cli import opening
from modicum.cli.energy.options import figure, print_problems
from modicum.cli.span import EVER, NEVER, moment
from modicum.settings import checked_zone, read_settings

if TYPE_CHECKING:
    from modicum.energy.attribution import Attribution


@click.command()
@click.argument("log", type=click.Path(path_type=Path, exists=True), required=False)
@click.option("--calls", "calls_path", type=click.Path(path_type=Path, exists=True), help="With LOG: one JSON a line.")
@click.option("--since", metavar="TIME", help="From the ledger: windows from 2026-01-31, today, 7d, 24h, 2w.")
@click.option("--until", metavar="TIME", help="From the ledger: windows before.")
@click.option(
    "--provider", default="", metavar="NAME", help="From the ledger: calls of this provider were served there."
)
@click.option("--pue", default=1.0, show_default=True, help="Energy of the site over energy of its computers.")
@click.option("--node-watts", default=0.0, show_default=True, help="Power of the machine beside its GPUs.")
@click.option("--grid", type=float, metavar="G", help="Grams of CO2 equivalent per kWh of your electricity.")
@opening.json_option
@opening.ledger_option
def command(log: Path | None, pue: float, node_watts: float, grid: float | None, **options: Any) -> int:
    """Share measured energy out over the calls that were served meanwhile.

    Without LOG: the windows and calls of the ledger. A call belongs to a watched server by its tag 'server', or by the
    provider that 'energy watch --provider' named. With LOG: a recorded watch; each line of the calls' file is an object
    with call_id, started, first_token, finished (seconds since 1970), uncached_prompt_tokens and generated_tokens.
    Shares, idle and unseen work sum to what was measured.

    \b
    Examples:
      modicum energy calls --since 7d
      modicum energy calls --provider own-vllm --grid 56 --json
      modicum energy calls run.jsonl --calls calls.jsonl --grid 56 --pue 1.2 --node-watts 400
    """
    from modicum.cli.output import print_json
    from modicum.energy.carbon import Facility

    facility = Facility(pue, node_watts, grid)
    facility.check()
    if log is None:
        found, seconds, problems = _from_ledger(options)
    elif options["calls_path"] is None:
        raise UserError("with a LOG, name the calls that ran in it: --calls calls.jsonl")
    else:
        found, seconds, problems = _from_log(log, options["calls_path"])
    kwh = facility.kilowatt_hours(found.measured_joules, seconds)
    grams = facility.grams_co2(found.measured_joules, seconds)
    if options["as_json"]:
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


def _from_log(log: Path, calls_path: Path) -> "tuple[Attribution, float, list[Problem]]":
    from modicum.energy.attribution import attribute, read_calls
    from modicum.energy.log import read_log
    from modicum.energy.watch import report

    recording = read_log(log)
    result = report(recording.samples, str(log))
    if result.figures is None:
        raise UserError(f"{log}: holds no interval with energy; nothing can be shared out")
    offset = recording.samples[0].wall - recording.samples[0].at
    calls, problems = read_calls(calls_path, offset)
    if not calls:
        raise UserError(f"{calls_path}: holds no usable call; each line is an object as 'energy calls --help' says")
    found = attribute(result.intervals, calls, result.split)
    return found, result.figures.seconds, [*recording.problems, *result.problems, *problems]


def _from_ledger(options: dict[str, Any]) -> "tuple[Attribution, float, list[Problem]]":
    from modicum.insights.consumption import consumption, span_of

    settings = read_settings()
    zone = checked_zone(settings.timezone)
    since, until = moment(options["since"], zone, EVER), moment(options["until"], zone, NEVER)
    provider = options["provider"]
    with opening.opened_ledger(options["ledger_url"], settings) as store:
        place, windows = store.place, store.energy(since, until)
        if not windows:
            raise UserError(
                f"the ledger {place} holds no windows of energy in that time; 'modicum energy watch --server URL' "
                "books them, and --replay those of a log"
            )
        first, last = span_of(windows)
        rows = store.ask("energy_calls", by="", tag="", zone="UTC", since=first, until=last, provider=provider)
    found = consumption(windows, rows, provider)
    assert found is not None  # noqa: S101 - there are windows
    problems = []
    if not found.attribution.calls:
        problems.append(
            Problem(
                place, "no call belongs to the watched servers: name their provider (--provider), or tag calls 'server'"
            )
        )
    if partly := len(found.attribution.calls) - len(found.measured_calls):
        problems.append(
            Problem(place, f"{partly:,} calls ran partly while nothing was watched; only that part is told")
        )
    if found.windows_overlapping:
        problems.append(Problem(place, f"{found.windows_overlapping:,} windows of a second watch at one time left out"))
    return found.attribution, found.seconds, problems


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
