"""`modicum energy watch`: a running server's tokens per second and joules per token, live or from a recorded log."""

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import click

from modicum.calls.errors import UserError
from modicum.cli.energy.options import figure, gpu_options, print_problems
from modicum.cli.shared_options import ledger_option
from modicum.cli.terminal.quantity import Quantity

if TYPE_CHECKING:
    from modicum.calls import EnergyWindow
    from modicum.energy.figures import Figures
    from modicum.energy.log import LogWriter
    from modicum.energy.samples import GpuFacts, Sample
    from modicum.energy.tally import Report, Tally
    from modicum.ledger.store import Appended


@click.command()
@click.option("--server", "servers", multiple=True, metavar="URL", help="A model server's address. Repeatable.")
@gpu_options
@click.option("--seconds", type=Quantity(), help="Stop after so long; without it, at Ctrl-C.")
@click.option("--interval", type=Quantity(), default=1.0, show_default=True, help="Seconds between samples.")
@click.option("--log", "log_path", type=click.Path(path_type=Path), help="Append raw counters to this new file.")
@click.option(
    "--windows", "windows_path", type=click.Path(path_type=Path), help="Write windows as records to this file."
)
@click.option("--replay", "replay_path", type=click.Path(path_type=Path), help="Work a recorded log out again.")
@click.option("--provider", default="", metavar="NAME", help="Calls to these servers are booked under this provider.")
@click.option("--no-book", is_flag=True, help="Do not book the windows in the ledger.")
@ledger_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document at the end.")
def command(servers: tuple[str, ...], interval: float, as_json: bool, **options: Any) -> int:
    """Tokens per second, joules per token and where the joules go, of a running server.

    Reads power and energy of the GPUs from the driver (extra [nvidia]) and token and step counters from the metrics of
    vLLM, SGLang, TGI or llama.cpp. Energy is of the GPUs, idle time included. Windows are booked in the ledger while
    the watch goes on, each once, however often a log is replayed; a watch that is killed loses the window under way.

    \b
    Examples:
      modicum energy watch --server http://127.0.0.1:8000
      modicum energy watch --server http://127.0.0.1:8000 --seconds 900 --log run.jsonl
      modicum energy watch --replay run.jsonl --provider own-vllm --json
      modicum energy watch --server http://gpu1:8000 --dcgm http://gpu1:9400/metrics
    """
    if bool(servers) == bool(options["replay_path"]):
        raise UserError("name a server (--server http://127.0.0.1:8000) or a recorded log (--replay run.jsonl)")
    if interval <= 0:
        raise UserError("--interval must be more than 0 seconds")
    if options["seconds"] is not None and options["seconds"] <= 0:
        raise UserError("--seconds must be more than 0; leave it out to watch until Ctrl-C")
    if options["replay_path"] is not None:
        return _replay(options["replay_path"], options, as_json=as_json)
    live = _Live(servers, options, quiet=as_json)
    asyncio.run(live.run(interval))
    status = _show(live.tally.report(), live.facts, live.booked, as_json=as_json)
    if live.not_booked:
        raise UserError(live.not_booked)
    return status


def _replay(path: Path, options: dict[str, Any], *, as_json: bool) -> int:
    from modicum.cli.energy.booking import append_windows
    from modicum.energy.log import read_log
    from modicum.energy.tally import Tally, write_windows

    recording = read_log(path)
    print_problems(recording.problems)
    facts = recording.header.gpus
    tally = Tally(str(path), recording.gpus, recording.header.servers, options["provider"])
    records = [record for sample in recording.samples for record in tally.add(sample)]
    records += tally.finish()
    if options["windows_path"] is not None:
        write_windows(options["windows_path"], records)
    if options["no_book"] or not records:
        return _show(tally.report(), facts, None, as_json=as_json)
    try:
        booked = append_windows(options["ledger_url"], records)
    except UserError as error:
        # What was watched is shown, whatever became of the ledger.
        _show(tally.report(), facts, None, as_json=as_json)
        raise UserError(
            f"the windows are not booked: {error}; book it with 'modicum energy watch --replay {path}'"
        ) from None
    return _show(tally.report(), facts, booked, as_json=as_json)


class _Live:
    """One live watch: takes samples, logs them, books the windows they close, keeps the terminal up to date."""

    tally: "Tally"
    facts: "tuple[GpuFacts, ...]"
    booked: "Appended | None" = None
    not_booked = ""
    """What to tell if the ledger has not got all windows."""

    def __init__(self, servers: tuple[str, ...], options: dict[str, Any], *, quiet: bool) -> None:
        self._servers, self._options, self._quiet = servers, options, quiet

    async def run(self, interval: float) -> None:
        from modicum.cli.energy.meters import sources
        from modicum.energy.tally import Tally
        from modicum.energy.watch import Watcher, metrics_url
        from modicum.outbound import AllowedHosts, Outbound

        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for sign in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(sign, stop.set)
        if self._options["seconds"] is not None:
            loop.call_later(self._options["seconds"], stop.set)
        dcgm = self._options["dcgm_urls"]
        async with Outbound(AllowedHosts([*self._servers, *dcgm]), timeout_s=10) as client:
            gpus = sources(client, self._options["gpus"], dcgm)
            if not gpus:
                raise UserError(
                    "nothing to read energy from: leave out --gpu none, or name --dcgm http://host:9400/metrics"
                )
            self.facts = tuple([fact for source in gpus for fact in await source.facts()])
            names = [fact.gpu for fact in self.facts]
            _each_once("--server", [metrics_url(server) for server in self._servers])
            _each_once("GPU", names)
            self.tally = Tally("watch", names, self._servers, self._options["provider"])
            with contextlib.ExitStack() as files:
                samples = Watcher(client, self._servers, gpus).samples(interval, stop)
                first = await anext(samples)
                log = self._log(files, interval)
                async with self._sink() as sink:
                    with _Screen(quiet=self._quiet) as screen:
                        async for sample in _with_first(first, samples):
                            if log is not None:
                                log.write(sample)
                            sink(self.tally.add(sample))
                            screen.update(self.tally, sample)
                    sink(self.tally.finish())

    def _log(self, files: contextlib.ExitStack, interval: float) -> "LogWriter | None":
        from modicum import __version__
        from modicum.energy.log import FORMAT, LogHeader, LogWriter

        path: Path | None = self._options["log_path"]
        if path is None:
            return None
        try:
            file = files.enter_context(path.open("xb"))
        except FileExistsError:
            raise UserError(f"{path} is there already; raw logs are never written over: choose another name") from None
        except OSError as error:
            raise UserError(f"{path}: cannot be written ({error.strerror}); choose another place for --log") from None
        return LogWriter(file, LogHeader(FORMAT, self.facts, self._servers, interval, __version__))

    @contextlib.asynccontextmanager
    async def _sink(self) -> "AsyncIterator[Callable[[Sequence[EnergyWindow]], None]]":
        """Takes closed windows: to the ledger, and to the file of --windows."""
        from modicum.cli.energy.booking import LiveBooking
        from modicum.energy.tally import write_windows

        path: Path | None = self._options["windows_path"]

        def kept(windows: "Sequence[EnergyWindow]") -> None:
            if path is not None and windows:
                write_windows(path, windows)

        if self._options["no_book"]:
            yield kept
            return

        def booked(windows: "Sequence[EnergyWindow]") -> None:
            booking.add(windows)
            kept(windows)

        async with LiveBooking(self._options["ledger_url"]) as booking:
            yield booked
        self.booked = booking.booked
        if booking.waiting:
            self.not_booked = (
                f"{booking.waiting} windows are not booked: {booking.problem}; they are kept in {booking.place} and"
                " booked by the next 'modicum energy watch' or 'modicum energy calls' for this ledger"
            )


def _each_once(what: str, names: Sequence[str]) -> None:
    """What is read twice would count twice."""
    for name in names:
        if names.count(name) > 1:
            raise UserError(f"{what} {name} is named twice; name each server and each exporter once")


async def _with_first(first: "Sample", others: "AsyncIterator[Sample]") -> "AsyncIterator[Sample]":
    yield first
    async for sample in others:
        yield sample


class _Screen:
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

    def update(self, tally: "Tally", sample: "Sample") -> None:
        if self._live is None:
            return
        now = tally.last
        self._live.update(_lines(now, sample) if now is not None else "waiting for a second sample ...")


def _lines(now: "Figures", sample: "Sample") -> str:
    waiting = sum(reading.waiting or 0 for reading in sample.servers)
    running = sum(reading.running or 0 for reading in sample.servers)
    hits = "" if now.cache_hit_share is None else f"   cache hits {now.cache_hit_share:.0%}"
    return (
        f"{now.tokens_per_second:,.0f} tokens/s   {figure(now.joules_per_generated_token, 'J/token')}   "
        f"{figure(now.tokens_per_watt, 'tokens/s per W')}   {now.mean_watts:,.0f} W   "
        f"running {running:g}, waiting {waiting:g}{hits}   (last 30 s; Ctrl-C ends)"
    )


def _show(
    result: "Report",
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
        _tables(result, facts)
        if booked is not None:
            there = f", {known:,} were there" if (known := booked.unchanged) else ""
            click.echo(f"windows booked in the ledger: {booked.new + booked.replaced:,}{there}")
        print_problems(result.problems)
    return 0 if result.figures.joules_per_generated_token is not None else 1


def _tables(result: "Report", facts: "Sequence[GpuFacts]") -> None:
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
            "prompt tokens found in the cache",
            f"{now.cache_hit_share:.1%}"
            if now.cache_hit_share is not None
            else "not counted"
            if now.cached_tokens is None
            else "no prompt came",
        ),
        ("generated tokens per second", f"{now.tokens_per_second:,.1f}"),
        ("joules per generated token", figure(now.joules_per_generated_token, "J")),
        ("joules per prompt or generated token", figure(now.joules_per_token, "J")),
        ("generated tokens per second and watt", figure(now.tokens_per_watt, "")),
        ("busy", f"{now.busy_share:.0%}"),
        ("requests at once while busy", figure(now.mean_batch, "")),
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
        click.echo("note: a GPU has no energy counter; its power was summed up, which is less sure")
    for fact in facts:
        if fact.contended_by:
            click.echo(f"note: {fact.contended_by} other processes compute on {fact.name}; their energy is in here too")
    print_split(result)


def _gpu_names(facts: "Sequence[GpuFacts]") -> str:
    names: dict[str, int] = {}
    for fact in facts:
        limit = f" at {fact.power_limit_watts:,.0f} W limit" if fact.power_limit_watts else ""
        names[fact.name + limit] = names.get(fact.name + limit, 0) + 1
    return ", ".join(f"{count} x {name}" for name, count in names.items()) or "no GPU"


def print_split(result: "Report") -> None:
    """The four terms with their errors, or why there are none."""
    from modicum.cli.terminal.output import print_table
    from modicum.energy.split import LEAST_WINDOWS

    found = result.split
    if result.regimes > 1:
        click.echo(
            f"servers restarted, or their model or a power limit changed ({result.regimes - 1:,}): what follows is of"
            f" the {result.split_seconds:,.0f} s since"
        )
    if found is None:
        click.echo(f"no split: {result.windows} windows of 5 s or more, {LEAST_WINDOWS} are needed; watch longer")
        return
    rows = [
        (
            term.name.replace("_", " "),
            figure(term.value, term.unit) if term.value is not None else "not identifiable",
            f"+- {term.error:.2g}" if term.error is not None else "",
            term.basis if term.value is not None else "",
        )
        for term in found.terms
    ]
    print_table(("where the joules go", "each", "95 %", "how it is known"), rows)
    for term in found.terms:
        if term.value is None:
            click.echo(f"{term.name.replace('_', ' ')}: {term.reason}")
    click.echo(
        f"{found.windows} windows; a window left out of the fit is foretold to {found.window_error:.1%};"
        f" R2 {found.explained:.4f}"
        + (f"; clocks were held down in {found.slowed_windows} windows" if found.slowed_windows else "")
    )
