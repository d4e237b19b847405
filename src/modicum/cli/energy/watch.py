"""`modicum energy watch`: a running server's tokens per second and joules per token, live or from a recorded log."""

import asyncio
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import click

from modicum.calls.errors import UserError
from modicum.cli.energy.options import figure, gpu_options, print_problems

if TYPE_CHECKING:
    from modicum.energy.figures import Figures
    from modicum.energy.samples import GpuFacts, Sample
    from modicum.energy.watch import Report


@click.command()
@click.option("--server", "servers", multiple=True, metavar="URL", help="A model server's address. Repeatable.")
@gpu_options
@click.option("--seconds", type=float, help="Stop after so long; without it, at Ctrl-C.")
@click.option("--interval", default=1.0, show_default=True, help="Seconds between samples.")
@click.option("--log", "log_path", type=click.Path(path_type=Path), help="Append raw counters to this new file.")
@click.option(
    "--windows", "windows_path", type=click.Path(path_type=Path), help="Write windows as records to this file."
)
@click.option("--replay", "replay_path", type=click.Path(path_type=Path), help="Work a recorded log out again.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object at the end.")
def command(servers: tuple[str, ...], interval: float, as_json: bool, **options: Any) -> int:
    """Tokens per second, joules per token and where the joules go, of a running server.

    Reads power and energy of the GPUs from the driver (extra [nvidia]) and token and step counters from the metrics of
    vLLM, SGLang, TGI or llama.cpp. Energy is of the GPUs, idle time included.

    \b
    Examples:
      modicum energy watch --server http://127.0.0.1:8000
      modicum energy watch --server http://127.0.0.1:8000 --seconds 900 --log run.jsonl
      modicum energy watch --replay run.jsonl --json
      modicum energy watch --server http://gpu1:8000 --dcgm http://gpu1:9400/metrics
    """
    from modicum.energy.log import read_log
    from modicum.energy.watch import energy_windows, report, write_windows

    replay_path, windows_path = options["replay_path"], options["windows_path"]
    if bool(servers) == bool(replay_path):
        raise UserError("name a server (--server http://127.0.0.1:8000) or a recorded log (--replay run.jsonl)")
    if interval <= 0:
        raise UserError("--interval must be more than 0 seconds")
    if replay_path is not None:
        recording = read_log(replay_path)
        samples: Sequence[Sample] = recording.samples
        facts, source = recording.header.gpus, str(replay_path)
        print_problems(recording.problems)
    else:
        live = _Live(servers, options["gpus"], options["dcgm_urls"], options["log_path"], quiet=as_json)
        samples, facts = asyncio.run(live.run(options["seconds"], interval))
        source = "watch"
    result = report(samples, source)
    if windows_path is not None:
        write_windows(windows_path, energy_windows(samples, source))
    return _show(result, facts, samples, as_json=as_json)


class _Live:
    """One live watch: takes samples, logs them, and keeps the terminal up to date."""

    def __init__(
        self,
        servers: tuple[str, ...],
        gpus: str,
        dcgm_urls: tuple[str, ...],
        log_path: Path | None,
        *,
        quiet: bool,
    ) -> None:
        self._servers, self._gpus, self._dcgm, self._log_path, self._quiet = servers, gpus, dcgm_urls, log_path, quiet

    async def run(self, seconds: float | None, interval: float) -> "tuple[list[Sample], tuple[GpuFacts, ...]]":
        from modicum import __version__
        from modicum.cli.energy.meters import sources
        from modicum.energy.log import FORMAT, LogHeader, LogWriter
        from modicum.energy.watch import Watcher
        from modicum.outbound import AllowedHosts, Outbound

        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGINT, stop.set)
        if seconds is not None:
            loop.call_later(seconds, stop.set)
        samples: list[Sample] = []
        async with Outbound(AllowedHosts([*self._servers, *self._dcgm]), timeout_s=10) as client:
            gpus = sources(client, self._gpus, self._dcgm)
            if not gpus:
                raise UserError(
                    "nothing to read energy from: leave out --gpu none, or name --dcgm http://host:9400/metrics"
                )
            facts = tuple([fact for source in gpus for fact in await source.facts()])
            writer = None
            file = self._log_path.open("xb") if self._log_path and not self._exists() else None
            try:
                if file is not None:
                    writer = LogWriter(file, LogHeader(FORMAT, facts, self._servers, interval, __version__))
                with _Screen(quiet=self._quiet) as screen:
                    async for sample in Watcher(client, self._servers, gpus).samples(interval, stop):
                        samples.append(sample)
                        if writer is not None:
                            writer.write(sample)
                        screen.update(samples)
            finally:
                if file is not None:
                    file.close()
        return samples, facts

    def _exists(self) -> bool:
        assert self._log_path is not None  # noqa: S101 - asked only with a path
        if self._log_path.exists():
            raise UserError(f"{self._log_path} is there already; raw logs are never written over: choose another name")
        return False


class _Screen:
    """The last half minute on a terminal; nothing in a pipe."""

    def __init__(self, *, quiet: bool) -> None:
        from modicum.cli.output import console

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

    def update(self, samples: "Sequence[Sample]") -> None:
        if self._live is None:
            return
        from modicum.energy.watch import report

        # Enough for the last half minute and for the total since the start of what is kept.
        now = report(samples[-120:], "watch", with_split=False).last
        self._live.update(_lines(now, samples) if now is not None else "waiting for a second sample ...")


def _lines(now: "Figures", samples: "Sequence[Sample]") -> str:
    waiting = sum(reading.waiting or 0 for reading in samples[-1].servers)
    running = sum(reading.running or 0 for reading in samples[-1].servers)
    hits = "" if now.cache_hit_share is None else f"   cache hits {now.cache_hit_share:.0%}"
    return (
        f"{now.tokens_per_second:,.0f} tokens/s   {figure(now.joules_per_generated_token, 'J/token')}   "
        f"{figure(now.tokens_per_watt, 'tokens/s per W')}   {now.mean_watts:,.0f} W   "
        f"running {running:g}, waiting {waiting:g}{hits}   (last 30 s; Ctrl-C ends)"
    )


def _show(result: "Report", facts: "Sequence[GpuFacts]", samples: "Sequence[Sample]", *, as_json: bool) -> int:
    from modicum.cli.output import print_json

    if result.figures is None:
        print_problems(result.problems)
        raise UserError("no interval could be used: two samples of the server and of every GPU are needed at least")
    if as_json:
        print_json(
            {
                "figures": result.figures,
                "split": result.split,
                "windows": result.windows,
                "energy_counted": result.energy_counted,
                "gpus": facts,
                "problems": [str(problem) for problem in result.problems],
            }
        )
    else:
        _tables(result, facts, samples)
        print_problems(result.problems)
    return 0 if result.figures.joules_per_generated_token is not None else 1


def _tables(result: "Report", facts: "Sequence[GpuFacts]", samples: "Sequence[Sample]") -> None:
    from modicum.cli.output import print_table
    from modicum.energy.servers import KINDS

    now = result.figures
    assert now is not None  # noqa: S101 - the caller checked
    kinds = sorted({reading.kind for sample in samples for reading in sample.servers})
    rows = [
        ("time measured", f"{now.seconds:,.0f} s"),
        ("energy of the GPUs, idle included", f"{now.joules:,.0f} J"),
        ("mean power", f"{now.mean_watts:,.0f} W"),
        ("generated tokens", f"{now.generated_tokens:,.0f}"),
        ("prompt tokens", f"{now.prompt_tokens:,.0f}"),
        (
            "prompt tokens found in the cache",
            "not counted" if now.cache_hit_share is None else f"{now.cache_hit_share:.1%}",
        ),
        ("generated tokens per second", f"{now.tokens_per_second:,.1f}"),
        ("joules per generated token", figure(now.joules_per_generated_token, "J")),
        ("joules per prompt or generated token", figure(now.joules_per_token, "J")),
        ("generated tokens per second and watt", figure(now.tokens_per_watt, "")),
        ("busy", f"{now.busy_share:.0%}"),
        ("requests at once while busy", figure(now.mean_batch, "")),
    ]
    if now.generated_tokens == 0:
        rows.append(("", "no token was generated: energy per token is unknown"))
    print_table(("figure", "value"), rows, title=f"{', '.join(kinds)} on {_gpu_names(facts)}")
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
    from modicum.cli.output import print_table
    from modicum.energy.split import LEAST_WINDOWS

    found = result.split
    if found is None:
        click.echo(f"no split: {result.windows} windows of 5 s or more, {LEAST_WINDOWS} are needed; watch longer")
        return
    rows = [
        (
            term.name.replace("_", " "),
            figure(term.value, term.unit) if term.value is not None else "not identifiable",
            f"+- {term.error:.2g}" if term.error is not None else "",
            term.basis if term.value is not None else term.reason,
        )
        for term in found.terms
    ]
    print_table(("where the joules go", "each", "95 %", "how it is known"), rows)
    click.echo(
        f"{found.windows} windows; a window left out of the fit is foretold to {found.window_error:.1%};"
        f" R2 {found.explained:.4f}"
        + (f"; clocks were held down in {found.slowed_windows} windows" if found.slowed_windows else "")
    )
