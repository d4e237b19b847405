"""`modicum tco`: dollars per million tokens of an own or rented machine, against an API."""

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from modicum.calls.errors import UserError
from modicum.calls.words.percentages import percent
from modicum.cli.energy.options import print_problems
from modicum.cli.shared_options import json_option, pass_options
from modicum.cli.terminal.quantity import Quantity

if TYPE_CHECKING:
    from modicum.energy.tco import ApiPrice, OwnedGpus, Ownership, RentedGpus, Traffic
    from modicum.energy.tco_overheads import Overheads, QualityLoss
    from modicum.energy.watch_figures import WatchFigures


class Dollars(click.ParamType[Decimal]):
    name = "dollars"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Decimal:
        try:
            amount = Decimal(str(value).removeprefix("$"))
        except InvalidOperation:
            self.fail(f"'{value}' is not an amount; write 2.69", param, ctx)
        if not amount.is_finite() or amount < 0:
            self.fail(f"'{value}' is less than 0 or not finite; write an amount such as 2.69", param, ctx)
        return amount


@dataclass(frozen=True, kw_only=True)
class TcoOptions:
    rent: Decimal | None
    gpus: int
    buy: Decimal | None
    years: Decimal
    watts: float | None
    usd_per_kwh: Decimal | None
    pue: float
    other_per_hour: Decimal
    tokens_per_second: float | None
    bench_path: Path | None
    within_ms: float | None
    watch_path: Path | None
    prompt_per_output: float | None
    cached_share: float | None
    api_model: str | None
    api_price: str | None
    spare_share: float
    staff_hours: Decimal
    staff_usd: Decimal
    quality_loss: float | None
    compared: Path | None
    own_arm: str | None
    worth: Decimal | None
    tokens_per_task: float | None
    review_share: float
    review_usd: Decimal
    as_json: bool


@click.command()
@click.option("--rent", type=Dollars(), metavar="USD", help="Dollars per GPU and hour.")
@click.option("--gpus", type=click.IntRange(1), default=1, show_default=True, help="Number of rented GPUs.")
@click.option("--buy", type=Dollars(), metavar="USD", help="Price of your own machine, instead of --rent.")
@click.option(
    "--years", type=Dollars(), default="4", show_default=True, help="Years over which the machine is written off."
)
@click.option("--watts", type=Quantity(0), help="Mean power of the whole machine under load, in watts.")
@click.option("--usd-per-kwh", type=Dollars(), help="Price of electricity, in dollars per kWh.")
@click.option(
    "--pue", type=Quantity(1), default=1.0, show_default=True, help="Energy of the site over energy of its computers."
)
@click.option(
    "--other-per-hour", type=Dollars(), default="0", help="Cost of housing, network and staff, in dollars per hour."
)
@click.option("--tokens-per-second", type=Quantity(), help="Generated tokens per second at full load.")
@click.option(
    "--bench",
    "bench_path",
    type=click.Path(path_type=Path, exists=True),
    help="Read the speed from this file of 'energy bench'.",
)
@click.option(
    "--within-ms",
    type=Quantity(0, min_open=True),
    help="With --bench: full load is the fastest point with at most this many milliseconds between tokens.",
)
@click.option(
    "--watch",
    "watch_path",
    type=click.Path(path_type=Path, exists=True),
    help="Read the utilisation from this log of 'energy watch'.",
)
@click.option(
    "--prompt-per-output", type=Quantity(0), help="Prompt tokens for each generated token; --watch measures it."
)
@click.option("--cached-share", type=Quantity(0, 1), help="Share of the prompt that an API would charge as cached.")
@click.option(
    "--api", "api_model", metavar="PROVIDER/MODEL", help="Compare with the list price of the same open model."
)
@click.option("--api-price", metavar="IN,OUT[,CACHED]", help="Or with these dollars per million tokens.")
@click.option(
    "--spare-share",
    type=Quantity(0),
    default=0.0,
    help="Capacity held ready beside what serves, as a share of it (1: every machine twice).",
)
@click.option("--staff-hours", type=Dollars(), default="0", metavar="HOURS", help="Hours of people a month.")
@click.option("--staff-usd", type=Dollars(), default="0", metavar="USD", help="What one of these hours costs.")
@click.option(
    "--quality-loss",
    type=Quantity(-1, 1),
    metavar="SHARE",
    help="Of tasks that the API solves and your model does not (0.03: three in a hundred).",
)
@click.option(
    "--compared",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Read that loss from outcomes: output of 'modicum compare --json' with the API's model as baseline.",
)
@click.option("--own-arm", metavar="NAME", help="Your model's arm in --compared, if there are several.")
@click.option("--worth", type=Dollars(), metavar="USD", help="What one successful task is worth.")
@click.option("--tokens-per-task", type=Quantity(0, min_open=True), help="Generated tokens of one task.")
@click.option(
    "--review-share", type=Quantity(0, 1), default=0.0, help="Share of tasks reviewed beyond what the API's are."
)
@click.option("--review-usd", type=Dollars(), default="0", metavar="USD", help="What one review costs.")
@json_option
@pass_options(TcoOptions)
def command(options: TcoOptions) -> int:
    """Compare an own or rented machine with an API: dollars per million tokens, and the break-even utilisation.

    Redundancy, staff, quality lost and human review are lines of their own, 0 until you give them. Not included:
    failover between sites.

    \b
    Examples:
      modicum tco --rent 2.69 --tokens-per-second 9806 --prompt-per-output 4 --api-price 0.05,0.08
      modicum tco --rent 2.69 --gpus 2 --bench points.json --watch run.jsonl --api groq/openai/gpt-oss-120b
      modicum tco --rent 2.69 --tokens-per-second 9806 --spare-share 1 --staff-hours 20 --staff-usd 90
      modicum tco --buy 280000 --watts 8000 --usd-per-kwh 0.12 --pue 1.3 --tokens-per-second 40000 --prompt-per-output 3
    """
    from modicum.cli.terminal.output import print_json
    from modicum.energy.tco import compute_ownership

    machine = _machine_cost(options)
    seen = _read_watch_log(options.watch_path)
    speed = _full_load_speed(options)
    traffic = _make_traffic(options, seen)
    api = _api_price(options)
    utilisation = seen.tokens_per_second / speed if seen is not None and speed > 0 else None
    found = compute_ownership(machine, speed, traffic, api, utilisation, _overheads(options))
    if options.as_json:
        print_json({"ownership": found, "traffic": traffic, "api": api})
    else:
        _print_ownership(found, traffic, api)
    return 0


def _machine_cost(options: TcoOptions) -> "RentedGpus | OwnedGpus":
    from modicum.energy.tco import OwnedGpus, RentedGpus

    if options.rent is not None and options.buy is None:
        return RentedGpus(options.rent, options.gpus)
    if options.rent is not None or options.buy is None:
        raise UserError("say what the machine costs: --rent 2.69 (dollars per GPU and hour) or --buy 280000")
    if options.watts is None or options.usd_per_kwh is None:
        raise UserError("your own machine uses electricity: give --watts and --usd-per-kwh")
    if options.years <= 0:
        raise UserError("--years must be more than 0")
    return OwnedGpus(
        options.buy,
        options.years,
        options.watts,
        options.usd_per_kwh,
        options.pue,
        options.other_per_hour,
    )


def _overheads(options: TcoOptions) -> "Overheads":
    from modicum.energy.tco_overheads import Overheads

    quality = _quality(options)
    if quality is not None and options.worth is None:
        raise UserError("quality lost has no price yet: say with --worth what a successful task is worth, in dollars")
    if bool(options.staff_hours) != bool(options.staff_usd):
        raise UserError("staff is hours and their price: give both --staff-hours and --staff-usd")
    if bool(options.review_share) != bool(options.review_usd):
        raise UserError("review is a share and its price: give both --review-share and --review-usd")
    if (quality is not None or options.review_share) and options.tokens_per_task is None:
        raise UserError("quality and review go by the task: give --tokens-per-task (generated tokens of one task)")
    return Overheads(
        spare_share=options.spare_share,
        staff_hours_per_month=options.staff_hours,
        staff_usd_per_hour=options.staff_usd,
        tokens_per_task=options.tokens_per_task,
        quality=quality,
        outcome_worth_usd=options.worth or Decimal(0),
        review_share=options.review_share,
        review_usd=options.review_usd,
    )


def _quality(options: TcoOptions) -> "QualityLoss | None":
    """The loss as given, or from outcomes: the difference in success of a comparison."""
    from modicum.energy.tco_overheads import QualityLoss

    if options.compared is None:
        return None if options.quality_loss is None else QualityLoss(options.quality_loss)
    if options.quality_loss is not None:
        raise UserError("--quality-loss and --compared are two sources of one figure: give one of them")
    import msgspec

    from modicum.calls.outside.regular_file import read_named

    path = options.compared
    try:
        pairs = msgspec.json.decode(read_named(path))["pairs"]
        found = {str(pair["arm"]): pair["success"] for pair in pairs}
        arm = options.own_arm or (next(iter(found)) if len(found) == 1 else "")
        if arm not in found:
            raise UserError(f"{path}: choose your model's arm with --own-arm; it has {', '.join(sorted(found))}")
        success = found[arm]
        if success is None:
            raise UserError(f"{path}: no task has an outcome under both arms of '{arm}', so no loss is known")
        low, value, high = (float(success[name]) for name in ("low", "value", "high"))
    except (msgspec.DecodeError, LookupError, TypeError, ValueError):
        raise UserError(f"{path}: this is no output of 'modicum compare --json' (pairs with arm and success)") from None
    return QualityLoss(-value, -high, -low, f"{arm} in {path.name}")


def _read_watch_log(path: Path | None) -> "WatchFigures | None":
    """What a watched server did."""
    if path is None:
        return None
    from modicum.energy.watch_log import read_log
    from modicum.energy.watch_totals import make_report

    recording = read_log(path)
    found = make_report(recording.samples, str(path), recording.gpus)
    if found.figures is None:
        print_problems([*recording.problems, *found.problems])
        raise UserError(f"{path}: holds no usable interval; utilisation is unknown; the notes say what was missing")
    return found.figures


def _full_load_speed(options: TcoOptions) -> float:
    if options.tokens_per_second is not None:
        return float(options.tokens_per_second)
    if options.bench_path is None:
        raise UserError(
            "the speed at full load is missing: give --bench points.json (from 'energy bench') or"
            " --tokens-per-second 9806"
        )
    from modicum.energy.bench import read_result
    from modicum.energy.tradeoff import make_curve

    points = make_curve(read_result(options.bench_path).points)
    limit = options.within_ms
    inside = [point for point in points if limit is None or point.time_between_tokens_s * 1000 <= limit]
    if not inside:
        raise UserError(f"{options.bench_path}: no point has {limit:g} ms or less between tokens; raise --within-ms")
    return max(point.tokens_per_second for point in inside)


def _make_traffic(options: TcoOptions, seen: "WatchFigures | None") -> "Traffic":
    from modicum.energy.tco import Traffic

    ratio, cached = options.prompt_per_output, options.cached_share
    if ratio is None and seen is not None and seen.generated_tokens:
        ratio = seen.prompt_tokens / seen.generated_tokens
    if cached is None and seen is not None:
        cached = seen.cache_hit_share
    if ratio is None:
        if options.api_model or options.api_price:
            raise UserError(
                "an API charges prompts as well: give --prompt-per-output (prompt tokens for each generated one)"
                + (
                    ", or --watch, which measures it"
                    if seen is None
                    else "; in the watched time no token was generated"
                )
            )
        ratio = 0.0
    if ratio < 0 or not 0 <= (cached or 0) <= 1:
        raise UserError("--prompt-per-output must be 0 or more, and --cached-share between 0 and 1")
    return Traffic(ratio, cached or 0.0)


def _api_price(options: TcoOptions) -> "ApiPrice | None":
    from modicum.energy.tco import ApiPrice

    if options.api_price:
        parts = options.api_price.split(",")
        try:
            amounts = [Decimal(part) for part in parts]
        except InvalidOperation:
            amounts = []
        if len(amounts) not in {2, 3} or any(not amount.is_finite() or amount < 0 for amount in amounts):
            raise UserError(f"--api-price '{options.api_price}': write dollars per million as IN,OUT or IN,OUT,CACHED")
        return ApiPrice(amounts[0], amounts[1], amounts[2] if len(amounts) == 3 else None)
    if not options.api_model:
        return None
    from modicum.calls.rates import MILLION
    from modicum.metering.prices import PriceBook

    provider, _, model = options.api_model.partition("/")
    rates = PriceBook().rates(provider, model, datetime.now(UTC)) if model else None
    if rates is None:
        raise UserError(
            f"no list price is known for '{options.api_model}'; write PROVIDER/MODEL, or --api-price IN,OUT"
        )
    return ApiPrice(
        rates.input_uncached * MILLION,
        rates.output_visible * MILLION,
        rates.cache_read * MILLION,
        f"{rates.source} {rates.version}",
    )


def _print_ownership(found: "Ownership", traffic: "Traffic", api: "ApiPrice | None") -> None:
    from modicum.cli.terminal.output import dollars, print_table

    api_price = found.api_usd_per_million_output
    rows = [
        (
            percent(row.utilisation) + (" (measured)" if row.measured else ""),
            dollars(row.usd_per_million_output),
            "" if api_price is None else ("own" if row.usd_per_million_output < api_price else "API"),
        )
        for row in found.rows
    ]
    print_table(
        ("utilisation", "per million generated tokens", "cheaper"),
        rows,
        title=f"{dollars(found.usd_per_hour)} an hour, {found.tokens_per_second:,.0f} tokens/s at full load",
    )
    if api is not None and api_price is not None:
        click.echo(
            f"API: {dollars(api_price)} for a million generated tokens with {traffic.prompt_per_output:.2f} prompt"
            f" tokens each, {percent(traffic.cached_share, 0)} of them cached ({api.source})"
        )
    if found.break_even_utilisation is not None:
        share = found.break_even_utilisation
        click.echo(
            f"break-even at {percent(share)} utilisation"
            if share <= 1
            else f"never cheaper at this speed: full load would have to be {share:.1f} times faster"
        )
    elif api_price is not None:
        click.echo(
            "never cheaper: quality lost and review alone cost more than the API"
            if api_price
            else "never cheaper: the API costs nothing"
        )
    if found.electricity_share is not None:
        click.echo(f"electricity is {percent(found.electricity_share)} of the cost of an hour")
    print_table(
        ("assumption", "assumed", "an hour", "per million", "change with"),
        [
            (
                one.name,
                one.assumed,
                "" if one.usd_per_hour is None else dollars(one.usd_per_hour),
                "" if one.usd_per_million_output is None else dollars(one.usd_per_million_output),
                one.options,
            )
            for one in found.assumptions
        ],
        left=2,
    )
    click.echo("how the price of a million generated tokens changes (low, high):")
    for name, low, high in found.sensitivity:
        click.echo(f"  {name}: {dollars(low)}, {dollars(high)}")
    if found.measured_utilisation == 0:
        click.echo(
            "note: no token was generated in the watched time: at 0 % utilisation your own machine is never cheaper"
        )
    if found.measured_utilisation is None:
        click.echo("note: utilisation was not measured; --watch run.jsonl takes it from a recorded watch")
