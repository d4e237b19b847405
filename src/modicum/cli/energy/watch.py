"""`modicum energy watch`: a running server's tokens per second and joules per token, live or from a recorded log."""

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import click

from modicum.calls.errors import UserError
from modicum.calls.words.counted_nouns import number_of
from modicum.calls.words.percentages import percent
from modicum.cli import shared_options as shared
from modicum.cli.energy.meters import list_untried
from modicum.cli.energy.options import format_figure, gpu_options, print_problems
from modicum.cli.terminal.quantity import Quantity

if TYPE_CHECKING:
    from modicum.calls import EnergyWindow
    from modicum.energy.live_watch import LiveWatch
    from modicum.energy.samples import GpuFacts, Sample
    from modicum.energy.watch_figures import WatchFigures
    from modicum.energy.watch_totals import WatchReport, WatchTotals
    from modicum.ledger.store import Appended


@dataclass(frozen=True, kw_only=True)
class EnergyWatchOptions(shared.LedgerOptions):
    servers: tuple[str, ...]
    gpus: str
    dcgm_urls: tuple[str, ...]
    cpu: bool
    seconds: float | None
    interval: float
    log_path: Path | None
    windows_path: Path | None
    replay_path: Path | None
    provider: str
    no_book: bool
    as_json: bool


@click.command()
@click.option("--server", "servers", multiple=True, metavar="URL", help="A model server's address. Repeatable.")
@gpu_options
@click.option("--seconds", type=Quantity(), help="Seconds to watch. Default: until Ctrl-C.")
@click.option("--interval", type=Quantity(), default=1.0, show_default=True, help="Seconds between samples.")
@click.option("--log", "log_path", type=click.Path(path_type=Path), help="Write the raw counters to this new file.")
@click.option(
    "--windows",
    "windows_path",
    type=click.Path(path_type=Path),
    help="Write the energy windows to this file, one JSON object per line.",
)
@click.option(
    "--replay",
    "replay_path",
    type=click.Path(path_type=Path),
    help="Compute the figures of a recorded log instead of watching.",
)
@click.option(
    "--provider", default="", metavar="NAME", help="The provider under which calls to these servers are recorded."
)
@click.option("--no-book", is_flag=True, help="Do not add the windows to the ledger.")
@shared.ledger_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document at the end.")
@shared.pass_options(EnergyWatchOptions)
def command(options: EnergyWatchOptions) -> int:
    """Measure tokens per second and joules per token of a running server, and where the joules go.

    Reads power and energy of the GPUs from the driver (extra [nvidia]) and token and step counters from the metrics of
    vLLM, SGLang, TGI or llama.cpp. Energy is that of the GPUs, idle time included. Energy windows are added to the
    ledger during the watch, each once, even if a log is replayed. A watch that is killed loses its unfinished window.

    \b
    Examples:
      modicum energy watch --server http://127.0.0.1:8000
      modicum energy watch --server http://127.0.0.1:8000 --seconds 900 --log run.jsonl
      modicum energy watch --replay run.jsonl --provider own-vllm --json
      modicum energy watch --server http://gpu1:8000 --dcgm http://gpu1:9400/metrics
    """
    if bool(options.servers) == bool(options.replay_path):
        raise UserError("name a server (--server http://127.0.0.1:8000) or a recorded log (--replay run.jsonl)")
    if options.interval <= 0:
        raise UserError("--interval must be more than 0 seconds")
    if options.seconds is not None and options.seconds <= 0:
        raise UserError("--seconds must be more than 0; leave it out to watch until Ctrl-C")
    if options.replay_path is not None:
        return _replay(options.replay_path, options, as_json=options.as_json)
    live = _LiveSession(options)
    asyncio.run(live.run())
    status = _print_result(live.watch.tally.report(), live.watch.facts, live.booked, as_json=options.as_json)
    if live.not_booked:
        raise UserError(live.not_booked)
    return status


def _replay(path: Path, options: EnergyWatchOptions, *, as_json: bool) -> int:
    from modicum.cli.energy.window_booking import append_windows
    from modicum.energy.watch_log import read_log
    from modicum.energy.watch_totals import WatchTotals, write_windows

    recording = read_log(path)
    print_problems(recording.problems)
    facts = recording.header.gpus
    tally = WatchTotals(str(path), recording.gpus, recording.header.servers, options.provider)
    records = [record for sample in recording.samples for record in tally.add(sample)]
    records += tally.finish()
    if options.windows_path is not None:
        write_windows(options.windows_path, records)
    if options.no_book or not records:
        return _print_result(tally.report(), facts, None, as_json=as_json)
    try:
        booked = append_windows(options.ledger_url, records)
    except UserError as error:
        # What was watched is shown, whatever became of the ledger.
        _print_result(tally.report(), facts, None, as_json=as_json)
        raise UserError(
            f"the windows are not booked: {error}; book it with 'modicum energy watch --replay {path}'"
        ) from None
    return _print_result(tally.report(), facts, booked, as_json=as_json)


class _LiveSession:
    """A live watch as the options ask for it: its windows go to the ledger and to a file, its figures to the screen."""

    booked: "Appended | None" = None
    not_booked = ""
    """What to tell if the ledger has not got all windows."""

    def __init__(self, options: EnergyWatchOptions) -> None:
        self._options = options
        self.watch: LiveWatch

    async def run(self) -> None:
        from modicum.cli.energy.meters import open_gpu_sources
        from modicum.energy.live_watch import LiveWatch
        from modicum.outbound.client import Outbound
        from modicum.outbound.hosts import AllowedHosts

        options = self._options
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for sign in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(sign, stop.set)
        if options.seconds is not None:
            loop.call_later(options.seconds, stop.set)
        async with Outbound(AllowedHosts([*options.servers, *options.dcgm_urls]), timeout_s=10) as client:
            gpus = open_gpu_sources(client, options.gpus, options.dcgm_urls, cpu=options.cpu)
            self.watch = watch = LiveWatch(options.servers, gpus, options.interval, options.log_path)
            await watch.start(options.provider)
            with _LiveScreen(quiet=options.as_json) as screen:
                async with self._sink() as sink:
                    await watch.run(client, stop, sink, screen.update)

    @contextlib.asynccontextmanager
    async def _sink(self) -> "AsyncIterator[Callable[[Sequence[EnergyWindow]], None]]":
        """Takes closed windows: to the ledger, and to the file of --windows."""
        from modicum.cli.energy.window_booking import open_live_booking
        from modicum.energy.watch_totals import write_windows

        path = self._options.windows_path

        def write(windows: "Sequence[EnergyWindow]") -> None:
            if path is not None and windows:
                write_windows(path, windows)

        if self._options.no_book:
            yield write
            return

        def book(windows: "Sequence[EnergyWindow]") -> None:
            booking.add(windows)
            write(windows)

        async with open_live_booking(self._options.ledger_url) as booking:
            yield book
        self.booked = booking.booked
        if booking.waiting:
            self.not_booked = (
                f"{number_of(booking.waiting, 'window is', 'windows are')} not booked: {booking.problem}; they are "
                f"kept in {booking.place} and booked by the next 'modicum energy watch' or 'modicum energy calls' for "
                "this ledger"
            )


class _LiveScreen:
    """The last half minute on a terminal; nothing in a pipe."""

    def __init__(self, *, quiet: bool) -> None:
        from modicum.cli.terminal.output import console

        out = console(err=True)
        self._live: Any = None
        if out.is_terminal and not quiet:
            from rich.live import Live

            self._live = Live(console=out, refresh_per_second=2, transient=True)

    def __enter__(self) -> Self:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.stop()

    def update(self, tally: "WatchTotals", sample: "Sample") -> None:
        if self._live is None:
            return
        now = tally.last
        self._live.update(_format_live_line(now, sample) if now is not None else "waiting for a second sample ...")


def _format_live_line(now: "WatchFigures", sample: "Sample") -> str:
    waiting = sum(reading.waiting or 0 for reading in sample.servers)
    running = sum(reading.running or 0 for reading in sample.servers)
    hits = "" if now.cache_hit_share is None else f"   cache hits {percent(now.cache_hit_share, 0)}"
    return (
        f"{now.tokens_per_second:,.0f} tokens/s   {format_figure(now.joules_per_generated_token, 'J/token')}   "
        f"{format_figure(now.tokens_per_watt, 'tokens/s per W')}   {now.mean_watts:,.0f} W   "
        f"running {running:g}, waiting {waiting:g}{hits}   (last 30 s; Ctrl-C ends)"
    )


def _print_result(
    result: "WatchReport",
    facts: "Sequence[GpuFacts]",
    booked: "Appended | None",
    *,
    as_json: bool,
) -> int:
    from modicum.cli.terminal.output import print_json

    if result.figures is None:
        print_problems(result.problems)
        raise UserError(
            "no interval could be used: two samples of the server and of every GPU are needed at least; the notes say"
            " what was missing, or watch for some seconds longer"
        )
    if as_json:
        print_json(
            {
                "figures": result.figures,
                "split": result.split,
                "windows": result.windows,
                "split_seconds": result.split_seconds,
                "regimes": result.regimes,
                "energy_counted": result.energy_counted,
                "gpus": facts,
                "booked": booked,
                "problems": [str(problem) for problem in result.problems],
            }
        )
    else:
        _print_tables(result, facts)
        if booked is not None:
            there = f", {known:,} were in it already" if (known := booked.unchanged) else ""
            click.echo(f"windows added to the ledger: {booked.new + booked.replaced:,}{there}")
        print_problems(result.problems)
    return 0 if result.figures.joules_per_generated_token is not None else 1


def _print_tables(result: "WatchReport", facts: "Sequence[GpuFacts]") -> None:
    from modicum.cli.terminal.output import print_table
    from modicum.energy.servers import KINDS

    now = result.figures
    assert now is not None  # noqa: S101 - the caller checked
    kinds = result.kinds
    rows = [
        ("time measured", f"{now.seconds:,.0f} s"),
        ("energy of the GPUs, idle included", f"{now.joules:,.0f} J"),
        ("mean power", f"{now.mean_watts:,.0f} W"),
        ("generated tokens", f"{now.generated_tokens:,.0f}"),
        ("prompt tokens", f"{now.prompt_tokens:,.0f}"),
        (
            "prompt tokens read from the cache",
            percent(now.cache_hit_share)
            if now.cache_hit_share is not None
            else "not counted"
            if now.cached_tokens is None
            else "no prompt was sent",
        ),
        ("generated tokens per second", f"{now.tokens_per_second:,.1f}"),
        ("joules per generated token", format_figure(now.joules_per_generated_token, "J")),
        ("joules per prompt or generated token", format_figure(now.joules_per_token, "J")),
        ("generated tokens per second and watt", format_figure(now.tokens_per_watt, "")),
        ("time with requests", percent(now.busy_share, 0)),
        ("mean concurrency in that time", format_figure(now.mean_batch, "")),
    ]
    print_table(("figure", "value"), rows, title=f"{', '.join(kinds)} on {_gpu_names(facts)}")
    if now.generated_tokens == 0:
        click.echo(
            "no token was generated: energy per token is unknown; watch while requests come in, or load the server with"
            " 'modicum energy bench'"
        )
    for kind in kinds:
        if KINDS[kind].remark:
            click.echo(f"note: {KINDS[kind].remark}")
    if not result.energy_counted:
        click.echo("note: a GPU has no energy counter; its energy is the sum of its power, which is less exact")
    for fact in facts:
        if fact.contended_by:
            click.echo(f"note: {fact.contended_by} other processes compute on {fact.name}; their energy is included")
    for text in list_untried({fact.source for fact in facts}):
        click.echo(f"note: {text}")
    print_split(result)


def _gpu_names(facts: "Sequence[GpuFacts]") -> str:
    names: dict[str, int] = {}
    for fact in facts:
        limit = f" at {fact.power_limit_watts:,.0f} W limit" if fact.power_limit_watts else ""
        names[fact.name + limit] = names.get(fact.name + limit, 0) + 1
    return ", ".join(f"{count} x {name}" for name, count in names.items()) or "no GPU"


def print_split(result: "WatchReport") -> None:
    """The four terms with their errors, or why there are none."""
    from modicum.cli.terminal.output import print_table
    from modicum.energy.energy_split import LEAST_WINDOWS

    found = result.split
    if result.regimes > 1:
        click.echo(
            f"servers restarted, or their model or a power limit changed ({result.regimes - 1:,}): the following is for"
            f" the last {result.split_seconds:,.0f} s"
        )
    if found is None:
        click.echo(
            f"no split: {number_of(result.windows, 'window')} of 5 s or more, {LEAST_WINDOWS} are needed; watch longer"
        )
        return
    rows = [
        (
            term.name.replace("_", " "),
            format_figure(term.value, term.unit) if term.value is not None else "not identifiable",
            f"+- {term.error:.2g}" if term.error is not None else "",
            term.basis if term.value is not None else "",
        )
        for term in found.terms
    ]
    print_table(("where the joules go", "energy", "95 % interval", "basis"), rows)
    for term in found.terms:
        if term.value is None:
            click.echo(f"{term.name.replace('_', ' ')}: {term.reason}")
    for one in found.deviations:
        stated = "no term of work is stated" if one.voids_terms else "the intervals are wider by what it may change"
        click.echo(f"deviation: {one.explanation} ({one.strength:.0f} standard errors); {stated}; {one.advice}")
    if found.noise_memory_s is not None:
        click.echo(f"the noise stays the same for about {found.noise_memory_s:,.0f} s; the intervals allow for it")
    click.echo(
        f"{number_of(found.windows, 'window')}; a window left out of the fit is predicted with an error of "
        f"{percent(found.window_error)}; R2 {found.explained:.4f}"
        + (
            f"; the clocks were throttled in {number_of(found.slowed_windows, 'window')}"
            if found.slowed_windows
            else ""
        )
    )
