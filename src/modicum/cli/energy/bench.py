"""`modicum energy bench`: closed-loop load on a server, with times, rates and joules per token at each concurrency."""

import asyncio
import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from modicum.calls.errors import UserError
from modicum.cli.energy.options import Numbers, format_figure, gpu_options
from modicum.cli.shared_options import json_option
from modicum.cli.terminal.quantity import Quantity
from modicum.library.file_permissions import shared_files

if TYPE_CHECKING:
    from collections.abc import Sequence

    from modicum.energy.bench import BenchPoint, BenchResult
    from modicum.energy.samples import GpuReading
    from modicum.energy.tradeoff import CurvePoint
    from modicum.energy.watch import GpuSource
    from modicum.outbound.client import Outbound


class _BenchOptions(msgspec.Struct):
    """The options of one run of `energy bench`."""

    server: str
    model: str
    concurrency: tuple[int, ...]
    prompt_tokens: tuple[int, ...]
    output_tokens: int
    seconds: float
    repeats: int
    chat: bool
    gpus: str
    dcgm_urls: tuple[str, ...]
    cpu: bool
    headers: dict[str, str]


@click.command()
@click.option("--server", required=True, metavar="URL", help="Address of an OpenAI-compatible server, without /v1.")
@click.option("--model", required=True, help="Model name, as the server calls it.")
@click.option(
    "--concurrency",
    type=Numbers(),
    default="1,4,16,64",
    show_default=True,
    help="Numbers of simultaneous streams to measure, one after the other.",
)
@click.option(
    "--prompt-tokens",
    type=Numbers(),
    default="512",
    show_default=True,
    help="Lengths of prompts to measure, one after the other.",
)
@click.option("--output-tokens", type=click.IntRange(2), default=128, show_default=True, help="Length of outputs.")
@click.option("--seconds", type=Quantity(1), default=15.0, show_default=True, help="Length of each window.")
@click.option("--repeats", type=click.IntRange(1), default=3, show_default=True, help="Windows at each concurrency.")
@click.option("--chat", is_flag=True, help="Use /v1/chat/completions instead of /v1/completions.")
@click.option("--key-from", metavar="VARIABLE", help="Environment variable that holds the server's key.")
@gpu_options
@click.option(
    "--within-ms",
    type=Quantity(0, min_open=True),
    help="Show the cheapest point with at most this many milliseconds between tokens.",
)
@click.option("--out", type=click.Path(path_type=Path), help="Write the measured points to this file.")
@click.option("--picture", type=click.Path(path_type=Path), help="Draw the trade-off curve into this SVG file.")
@json_option
def command(
    key_from: str | None,
    within_ms: float | None,
    out: Path | None,
    picture: Path | None,
    as_json: bool,
    **options: Any,
) -> int:
    """Load a server that you run, and measure speed and energy at each concurrency.

    Prompts are random words that no cache can know. A window starts when every stream has had its first token. Run it
    against your own server only: it keeps the server fully busy.

    \b
    Examples:
      modicum energy bench --server http://127.0.0.1:8000 --model m --out points.json
      modicum energy bench --server http://127.0.0.1:8000 --model m --concurrency 1,8,64,256
          --prompt-tokens 128,2048 --within-ms 50 --picture trade.svg
      modicum energy bench --server http://127.0.0.1:8080 --model m --gpu none
    """
    from modicum.cli.terminal.output import print_json
    from modicum.energy.bench import write_result
    from modicum.energy.tradeoff import choose_points, make_curve

    key = os.environ.get(key_from) if key_from else None
    if key_from and not key:
        raise UserError(f"the environment variable {key_from} is empty; set it to the server's key")
    headers = {"authorization": f"Bearer {key}"} if key else {}
    result = asyncio.run(_run_bench(_BenchOptions(headers=headers, **options), quiet=as_json))
    if out is not None:
        with shared_files():
            write_result(out, result)
    points = make_curve(result.points)
    choices = choose_points(points, within_ms / 1000 if within_ms else None)
    if as_json:
        print_json({"result": result, "curve": points, "choices": choices, **answer(points, within_ms, result)})
    else:
        print_points(result)
        print_choices(choices)
        print_answers(points, within_ms, result)
    if picture is not None:
        draw_picture(picture, result, within_ms)
    return 0 if any(point.joules is not None for point in result.points) or options["gpus"] == "none" else 1


async def _run_bench(options: _BenchOptions, *, quiet: bool) -> "BenchResult":
    import random

    from modicum import __version__
    from modicum.cli.energy.meters import open_gpu_sources
    from modicum.energy.bench import FORMAT, BenchResult
    from modicum.energy.load_generator import LoadPlan, measure_words_per_token
    from modicum.outbound.client import Outbound
    from modicum.outbound.hosts import AllowedHosts
    from modicum.outbound.unreachable import Unreachable

    points = []
    async with Outbound(AllowedHosts([options.server, *options.dcgm_urls]), timeout_s=120) as client:
        gpus = open_gpu_sources(client, options.gpus, options.dcgm_urls, cpu=options.cpu)
        facts = tuple([fact for source in gpus for fact in await source.facts()])
        plan = LoadPlan(
            options.server,
            options.model,
            options.prompt_tokens[0],
            options.output_tokens,
            options.seconds,
            options.chat,
            options.headers,
        )
        try:
            per_token = await measure_words_per_token(client, plan, random.Random(0))  # noqa: S311 - text
        except Unreachable as error:
            raise UserError(
                f"{error}; is the server running, and does it serve a model named '{options.model}'?"
            ) from None
        for length in options.prompt_tokens:
            words = max(1, round(length * per_token))
            for concurrency in options.concurrency:
                for repeat in range(1, options.repeats + 1):
                    if not quiet:
                        click.echo(
                            f"concurrency {concurrency}, prompts of {length}, repeat {repeat} of {options.repeats}",
                            err=True,
                        )
                    here = msgspec.structs.replace(plan, prompt_tokens=length)
                    points.append(await _measure_window(client, here, concurrency, words, repeat, gpus))
    return BenchResult(FORMAT, options.model, facts, tuple(points), __version__)


async def _measure_window(
    client: "Outbound", plan: Any, concurrency: int, words: int, repeat: int, gpus: "list[GpuSource]"
) -> "BenchPoint":
    """One window, with the GPUs read beside it once a second."""
    from modicum.energy.bench import measure_point
    from modicum.energy.load_generator import run_load
    from modicum.outbound.unreachable import Unreachable

    readings: list[GpuReading] = []
    facts = tuple([fact for source in gpus for fact in await source.facts()])

    async def read() -> None:
        for source in gpus:
            # An exporter that fails to answer leaves the window uncovered, and then its energy is unknown.
            with contextlib.suppress(Unreachable):
                readings.extend(await source.read())

    async def read_on() -> None:
        while True:
            await read()
            await asyncio.sleep(0.5)

    beside = asyncio.create_task(read_on())
    try:
        # Seeds differ between windows, so that no prompt comes twice.
        run = await run_load(client, plan, concurrency, words, seed=hash((concurrency, words, repeat)) & 0xFFFFFF)
        await read()
    finally:
        beside.cancel()
        await asyncio.gather(beside, return_exceptions=True)
    readings.sort(key=lambda reading: reading.at)
    return measure_point(run, repeat, readings, facts)


def print_points(result: "BenchResult") -> None:
    from modicum.cli.terminal.output import print_table

    rows = [
        (
            f"{point.concurrency}",
            f"{point.prompt_tokens:,.0f}",
            f"{point.time_to_first_token_s[0] * 1000:,.0f}",
            f"{point.time_between_tokens_s[0] * 1000:,.1f}",
            f"{point.time_between_tokens_s[1] * 1000:,.1f}",
            f"{point.tokens_per_second:,.0f}",
            f"{point.tokens_per_second_each:,.1f}",
            format_figure(point.mean_watts, ""),
            format_figure(point.joules_per_generated_token, ""),
        )
        for point in result.points
    ]
    print_table(
        ("concurrency", "prompt", "TTFT ms", "ITL ms", "ITL p99 ms", "tokens/s", "per stream", "watts", "J/token"),
        rows,
        title=f"{result.model}: generated tokens, energy of the GPUs (TTFT: time to first token, ITL: between tokens)",
        left=0,
    )
    remarked: dict[str, list[int]] = {}
    for point in result.points:
        for remark in point.remarks:
            remarked.setdefault(remark, []).append(point.concurrency)
    for remark, at in remarked.items():
        streams = ", ".join(str(count) for count in sorted(set(at)))
        click.echo(f"note: {len(at)} of {len(result.points)} points (concurrency {streams}): {remark}", err=True)


def print_choices(choices: Any) -> None:
    for name, chosen in (
        ("fastest for each user", choices.fastest),
        ("most tokens per watt", choices.most_tokens_per_watt),
        (
            f"cheapest within {choices.within_s * 1000:g} ms" if choices.within_s else "cheapest",
            choices.cheapest_within,
        ),
    ):
        if chosen is None:
            if choices.within_s or name == "most tokens per watt":
                click.echo(
                    f"{name}: unknown ({'no energy was measured' if 'watt' in name else 'no point is that fast'})"
                )
            continue
        click.echo(
            f"{name}: concurrency {chosen.concurrency}, {chosen.time_between_tokens_s * 1000:.1f} ms between tokens,"
            f" {chosen.tokens_per_second:,.0f} tokens/s, {format_figure(chosen.joules_per_generated_token, 'J/token')}"
        )


def answer(points: "Sequence[CurvePoint]", within_ms: float | None, result: "BenchResult") -> dict[str, Any]:
    """Users per GPU at a latency, and what three times the speed costs in energy, both ways that people mean it."""
    from modicum.energy.tradeoff import count_users, price_speed

    users = count_users(points, within_ms / 1000, len(result.gpus)) if within_ms else None
    return {"speed_prices": price_speed(points), "users_per_gpu": users}


def print_answers(points: "Sequence[CurvePoint]", within_ms: float | None, result: "BenchResult") -> None:
    found = answer(points, within_ms, result)
    if within_ms:
        users = found["users_per_gpu"]
        shown = "unknown (no point is that fast, or no GPU was read)" if users is None else f"{users:,.3g}"
        click.echo(f"users at once per GPU within {within_ms:g} ms between tokens: {shown}")
    prices = found["speed_prices"]
    for meaning, pair in (("each user's stream", prices.each), ("all streams together", prices.together)):
        if pair is None:
            click.echo(f"three times the speed of {meaning}: not seen; no two points with energy are so far apart")
            continue
        click.echo(
            f"{pair.speed_ratio:.1f} times the speed of {meaning} took {pair.energy_ratio:.2g} times the energy per"
            f" token (concurrency {pair.faster.concurrency} beside {pair.slower.concurrency})"
        )


def draw_picture(path: Path, result: "BenchResult", within_ms: float | None) -> None:
    """Draws the trade-off curve into a file.

    Raises:
        UserError: no point has energy.
    """
    from modicum.energy.tradeoff import choose_points, make_curve
    from modicum.reports.tradeoff_drawing import draw_curve

    points = make_curve(result.points)
    if not any(point.tokens_per_watt for point in points):
        raise UserError("nothing to draw: no energy was measured")
    gpus = ", ".join(sorted({fact.name for fact in result.gpus})) or "unknown GPU"
    drawn = draw_curve(
        points,
        choose_points(points, within_ms / 1000 if within_ms else None),
        f"{result.model}: speed against energy",
        f"{len(result.gpus)} x {gpus}; each point is a number of concurrent streams; both axes are logarithmic",
    )
    with shared_files():
        path.write_text(drawn)
