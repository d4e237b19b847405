"""`modicum energy calls`: the energy of watched servers, divided among the calls that they served."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from modicum.calls.errors import UserError
from modicum.calls.problem import Problem
from modicum.calls.words.counted_nouns import number_of
from modicum.calls.words.percentages import percent
from modicum.cli import shared_options as shared
from modicum.cli.energy.options import format_figure, print_problems
from modicum.cli.terminal.quantity import Quantity
from modicum.ledger.records import ENERGY_WINDOWS
from modicum.library import resources
from modicum.settings import read_settings, user_zone

if TYPE_CHECKING:
    from modicum.energy.attribution import EnergyAttribution
    from modicum.insights.energy_consumption import EnergyLaw
    from modicum.ledger.rows import Row


@dataclass(frozen=True, kw_only=True)
class CallsOptions(shared.LedgerOptions, shared.SpanOptions):
    log: Path | None
    calls_path: Path | None
    provider: str
    pue: float
    node_watts: float
    grid: float | None
    as_json: bool


@click.command()
@click.argument("log", type=click.Path(path_type=Path, exists=True), required=False)
@click.option(
    "--calls",
    "calls_path",
    type=click.Path(path_type=Path, exists=True),
    help="With LOG: the file of calls, one JSON object per line.",
)
@shared.span_options("windows of the ledger")
@click.option(
    "--provider",
    default="",
    metavar="NAME",
    help="Without LOG: calls of this provider in the ledger were served by the watched servers.",
)
@click.option(
    "--pue", type=Quantity(), default=1.0, show_default=True, help="Energy of the site over energy of its computers."
)
@click.option(
    "--node-watts",
    type=Quantity(),
    default=0.0,
    show_default=True,
    help="Power of the machine without its GPUs, in watts.",
)
@click.option("--grid", type=Quantity(), metavar="G", help="Grams of CO2 equivalent per kWh of your electricity.")
@shared.json_option
@shared.ledger_option
@shared.pass_options(CallsOptions)
def command(options: CallsOptions) -> int:
    """Divide the measured energy among the calls that were served in that time.

    Without LOG: the windows and calls of the ledger. A call belongs to a watched server by its tag 'server', or by the
    provider that 'energy watch --provider' named. With LOG: a recorded watch; each line of the calls' file is an object
    with call_id, started, first_token, finished (seconds since 1970), uncached_prompt_tokens and generated_tokens.
    The shares, idle energy and unexplained work add up to what was measured.

    \b
    Examples:
      modicum energy calls --since 7d
      modicum energy calls --provider own-vllm --grid 56 --json
      modicum energy calls run.jsonl --calls calls.jsonl --grid 56 --pue 1.2 --node-watts 400
    """
    from modicum.cli.terminal.output import print_json
    from modicum.energy.carbon import SCI, Facility, divide

    facility = Facility(options.pue, options.node_watts, options.grid)
    facility.check()
    if options.log is None:
        result = _attribute_ledger(options)
    elif options.calls_path is None:
        raise UserError("a LOG needs the file of the calls that ran in its time: --calls calls.jsonl")
    else:
        result = _attribute_log(options.log, options.calls_path)
    found = result.attribution
    kwh = facility.kilowatt_hours(found.measured_joules, result.seconds)
    grams = facility.grams_co2(found.measured_joules, result.seconds)
    if options.as_json:
        print_json(
            {
                "attribution": found,
                "laws": result.laws,
                "kilowatt_hours": kwh,
                "covers": facility.covers,
                "grams_co2": grams,
                "per_request": divide(kwh, grams, len(found.calls)),
                "problems": [str(problem) for problem in result.problems],
            }
        )
    else:
        _print_attribution(found, result.laws)
        carbon = "carbon unknown: give --grid" if grams is None else f"{grams:,.1f} g CO2e at {options.grid:g} g/kWh"
        click.echo(f"{kwh:.4g} kWh ({facility.covers}); {carbon}")
        if (each := divide(kwh, grams, len(found.calls))) is not None:
            grams_each = "" if each.grams_co2 is None else f", {each.grams_co2:.3g} g CO2e"
            click.echo(
                f"per request: {each.joules:,.4g} J{grams_each} (all that was measured, idle and unseen work included,"
                f" over {number_of(len(found.calls), 'call')}; {SCI})"
            )
        print_problems(result.problems)
    if not found.calls:
        raise UserError(f"no energy could be divided among calls: {result.missing}")
    return 0


class _Attribution(NamedTuple):
    attribution: "EnergyAttribution"
    seconds: float
    """Measured time."""
    laws: "tuple[EnergyLaw, ...]"
    problems: list[Problem]
    missing: str = ""
    """Why there are no calls, and what to type next."""


def _attribute_log(log: Path, calls_path: Path) -> _Attribution:
    from modicum.energy.attribution import attribute_spans, read_calls
    from modicum.energy.regime_spans import cut_by_regime
    from modicum.energy.sample_intervals import measure_intervals
    from modicum.energy.watch_log import read_log
    from modicum.energy.window_cutter import shift_to_wall_time
    from modicum.insights.energy_consumption import describe_law

    recording = read_log(log)
    measured = measure_intervals(recording.samples, str(log), recording.gpus)
    if not measured.intervals:
        print_problems([*recording.problems, *measured.problems])
        raise UserError(
            f"{log}: holds no interval with energy, so there is nothing to divide; the notes say what was missing"
        )
    calls, problems = read_calls(calls_path)
    if not calls:
        print_problems(problems)
        raise UserError(f"{calls_path}: holds no usable call; each line is an object as 'energy calls --help' says")
    found = cut_by_regime(shift_to_wall_time(measured.intervals))
    shared = attribute_spans(found, calls)
    beside = [
        call for call in calls if not any(part.start < call.finished and call.started < part.end for part in found)
    ]
    if beside:
        problems.append(
            Problem(
                str(calls_path),
                f"{len(beside):,} of {number_of(len(calls), 'call is', 'calls are')} outside the time of the log",
            )
        )
    return _Attribution(
        attribution=shared,
        seconds=measured.seconds,
        laws=tuple(describe_law(recording.header.servers, stretch) for stretch in found),
        problems=[*recording.problems, *measured.problems, *problems],
        missing=(
            f"all calls of {calls_path} are outside the time of {log}, {_format_time(found[0].start)} to"
            f" {_format_time(found[-1].end)}; times are seconds since 1970"
        ),
    )


def _format_time(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M} UTC"


def _attribute_ledger(options: CallsOptions) -> _Attribution:
    from modicum.cli.energy.window_booking import book_spooled_windows
    from modicum.insights.energy_consumption import find_time_span, share_energy

    settings = read_settings()
    zone = user_zone(settings.timezone).zone
    since, until = options.span(zone)
    provider = options.provider
    book_spooled_windows(options.ledger_url)
    with resources.open_ledger(options.ledger_url, settings) as store:
        place, windows = store.place, store.records(ENERGY_WINDOWS, since, until)
        if not windows:
            raise UserError(
                f"the ledger {place} holds no windows of energy in that time; 'modicum energy watch --server URL' "
                "books them, and --replay those of a log"
            )
        first, last = find_time_span(windows)
        rows = store.ask("energy_calls", by="", tag="", zone="UTC", since=first, until=last, provider=provider)
        held = store.ask("bill", by="provider", tag="", zone="UTC", since=first, until=last)
    found = share_energy(windows, rows, provider)
    assert found is not None  # noqa: S101 - there are windows
    problems = []
    if partly := len(found.attribution.calls) - len(found.measured_calls):
        problems.append(
            Problem(
                place, f"{number_of(partly, 'call')} ran partly while nothing was watched; only that part is counted"
            )
        )
    if found.windows_overlapping:
        problems.append(
            Problem(
                place,
                f"{number_of(found.windows_overlapping, 'window')} left out: another watch measured these GPUs at that "
                "time",
            )
        )
    missing = _explain_no_calls(place, held, provider, (first, last))
    return _Attribution(found.attribution, found.seconds, found.laws, problems, missing)


def _explain_no_calls(place: str, held: "list[Row]", provider: str, span: tuple[datetime, datetime]) -> str:
    """Why no call belongs to the windows, from what the ledger holds of that time."""
    when = f"{_format_time(span[0].timestamp())} to {_format_time(span[1].timestamp())}"
    calls: dict[str, int] = {}
    for row in held:
        calls[row["name"]] = calls.get(row["name"], 0) + int(row["calls"])
    if not calls:
        return (
            f"the ledger {place} holds no call from {when}, when servers were watched. Bring the calls in: 'modicum"
            " import PATH' reads logs of the programs that asked the server, 'modicum up' meters them live"
        )
    names = ", ".join(f"{name or '(none)'} ({count:,})" for name, count in sorted(calls.items(), key=lambda i: -i[1]))
    if provider in calls:
        return (
            f"the ledger {place} holds {number_of(calls[provider], 'call')} of '{provider}' from {when}, but none that "
            "ran while servers were watched, with a known end and counted tokens"
        )
    return (
        f"no call from {when} belongs to the watched servers. The ledger {place} holds calls of: {names}. Say which"
        " were served here: 'modicum energy calls --provider NAME', or tag calls 'server' with the server's host:port"
    )


def _print_attribution(found: "EnergyAttribution", laws: "Sequence[EnergyLaw]") -> None:
    from modicum.cli.terminal.output import print_table

    if found.calls:
        _print_calls(found)
    active = sum(call.joules for call in found.calls)
    click.echo(f"calls       {active:,.0f} J")
    click.echo(f"unseen      {found.unseen_joules:,.0f} J (of tokens that belong to none of these calls)")
    click.echo(f"idle        {found.idle_joules:,.0f} J")
    click.echo(f"measured    {found.measured_joules:,.0f} J, divided by:")
    rows = [
        (
            f"{law.since:%Y-%m-%d %H:%M}",
            f"{law.until:%Y-%m-%d %H:%M}",
            ", ".join(law.servers),
            ", ".join(law.models) or "unknown",
            f"{law.seconds:,.0f} s" if law.seconds < 3600 else f"{law.seconds / 3600:,.1f} h",
            "time in the server (too few windows)"
            if law.window_error is None
            else f"fit, error {percent(law.window_error)}",
        )
        for law in laws
    ]
    print_table(("from (UTC)", "to", "servers", "models", "measured", "divided by"), rows)


def _print_calls(found: "EnergyAttribution") -> None:
    from modicum.cli.terminal.output import print_table

    top = sorted(found.calls, key=lambda call: -call.joules)[:20]
    rows = [
        (
            call.call_id,
            format_figure(call.joules, "J"),
            format_figure(call.idle_joules, "J"),
            f"{call.generated_tokens:,}",
            "shorter than 2 s: by rule, not measured" if call.short else "",
        )
        for call in top
    ]
    print_table(
        ("call", "active", "share of idle", "generated tokens", "note"),
        rows,
        title=f"the {len(top)} of {number_of(len(found.calls), 'call')} with the most energy",
    )
