"""`modicum prices`: what a model costs and cost, who says so, and what the past would cost at other prices."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from modicum.calls import BUCKETS, Tier, UserError
from modicum.calls.rates import KIN, MILLION, Rates
from modicum.cli.shared_options import LedgerOptions, json_option, ledger_option, pass_options, prices_option
from modicum.cli.terminal import output
from modicum.cli.terminal.verb_group import WholeLines
from modicum.insights.scoping.time_span import parse_time
from modicum.library import resources
from modicum.settings import checked_zone, read_settings, user_zone

if TYPE_CHECKING:
    from modicum.insights.price_changes import PriceChange, Pricing
    from modicum.metering.price_corrections import PriceNote
    from modicum.metering.price_history import PricePeriod
    from modicum.metering.prices import PriceBook

SHOW = "show"
FEES = tuple(
    field.name for field in msgspec.structs.fields(Rates) if field.type is Decimal and field.name not in BUCKETS
)
"""What is charged beside tokens, in dollars each."""


class Prices(WholeLines):
    """A group whose first word may be a model: `modicum prices claude-opus-5-5`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not args or (args[0] not in self.commands and args[0] not in ctx.help_option_names):
            args = [SHOW, *args]
        return super().parse_args(ctx, args)


@click.group(cls=Prices, subcommand_metavar="[MODEL]... | diff OLD NEW", options_metavar="[OPTIONS]")
def command() -> None:
    """Show what a model costs: by bucket, lane and step, who says so, and how it changed.

    \b
    Examples:
      modicum prices claude-sonnet-5-5
      modicum prices claude-sonnet-5-5 --at 2026-10-01 --provider anthropic --json
      modicum prices --save before.json
      modicum prices diff before.json list
      modicum prices diff --help
    """


@dataclass(frozen=True, kw_only=True)
class PriceOptions(LedgerOptions):
    models: tuple[str, ...]
    at: str | None
    provider: str
    save_path: Path | None
    price_path: Path | None
    as_json: bool


@command.command(SHOW, hidden=True)
@click.argument("models", nargs=-1, metavar="[MODEL]...")
@click.option("--at", metavar="TIME", help="The day or time of the price: 2026-10-01, 2026-10-01T02:00. Default: now.")
@click.option("--provider", default="", metavar="NAME", help="Who sells it, such as anthropic, aws, openrouter.")
@click.option(
    "--save",
    "save_path",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the prices of all calls of the ledger to this file, for 'modicum prices diff'.",
)
@prices_option
@ledger_option
@json_option
@pass_options(PriceOptions)
def show(options: PriceOptions) -> None:
    """Show what a model costs.

    \b
    Examples:
      modicum prices show claude-sonnet-5-5 --at 2026-10-01
    """
    settings = read_settings()
    prices = resources.load_prices(options.price_path, settings)
    if options.save_path is not None:
        _save(options, prices, options.save_path)
    elif not options.models:
        raise UserError("which model? For example: modicum prices claude-opus-5-5")
    if options.models:
        at = parse_time(options.at, user_zone(settings.timezone).zone, datetime.now(UTC))
        found = [find_price(prices, options.provider, model, at) for model in options.models]
        if options.as_json:
            output.print_json({"at": at, "models": found})
        else:
            for document in found:
                _print_price(document)
    prices.save()


def _save(options: PriceOptions, prices: "PriceBook", path: Path) -> None:
    from modicum.metering.saved_prices import SavedPrices

    with resources.open_ledger(options.ledger_url) as store:
        saved = SavedPrices.collect((entry.call for batch in store.entries() for entry in batch), prices)
    saved.write(path)
    click.echo(f"{len(saved.saved_steps)} prices saved to {path}", err=True)


def find_price(prices: "PriceBook", provider: str, model: str, at: datetime) -> dict[str, Any]:
    """All that is known of a price, as the JSON document shows it."""
    from modicum.metering.price_history import find_periods

    listed = prices.find_listed(provider, model, at, Tier.STANDARD)
    lanes = {lane: prices.steps(provider, model, at, lane) for lane in Tier}
    notes = {id(note): note for lane in Tier if (query := _list_entry(prices, provider, model, at, lane)) is not None
             for note in prices.price_notes(query)}  # fmt: skip
    return {
        "model": model,
        "provider": provider or None,
        "at": at,
        "seller": listed.query.seller if listed else None,
        "listed_as": listed.query.model if listed else None,
        "name_is_listed": listed.is_named if listed else None,
        "lanes": [
            {"lane": lane, "steps": [rates_document(step.above_tokens, step.rates) for step in steps]}
            for lane, steps in lanes.items()
            if steps
        ],
        "notes": [_note_document(note, at) for note in notes.values()],
        "history": [
            _period_document(lane, period)
            for lane, steps in lanes.items()
            if steps
            for period in find_periods(prices, provider, model, lane, max(at, datetime.now(UTC)))
        ],
    }


def _list_entry(prices: "PriceBook", provider: str, model: str, at: datetime, lane: Tier) -> Any:
    listed = prices.find_listed(provider, model, at, lane)
    return listed.query if listed else None


def rates_document(above_tokens: int, rates: Rates) -> dict[str, Any]:
    """Rates as people compare them, whatever buckets there are."""
    return {
        "above_tokens": max(above_tokens, 0),
        "usd_per_million": {bucket: _plain(getattr(rates, bucket) * MILLION) for bucket in BUCKETS},
        "usd_each": {fee: _plain(getattr(rates, fee)) for fee in FEES if getattr(rates, fee)}
        | {unit: _plain(fee) for unit, fee in rates.fees.items()},
        "at_the_price_of_another": rates.fallbacks,
        "basis": rates.basis,
        "source": rates.source,
        "version": rates.version,
    }


MOST_COLUMNS_WIDE = 54
"""Characters that the columns of prices may take, so that a table fits 80 with the names of its rows."""


def _fitting(rows: Sequence[tuple[Any, dict[str, Any]]]) -> Iterator[list[tuple[Any, dict[str, Any]]]]:
    """Lanes and steps in lots that fit side by side."""
    part: list[tuple[Any, dict[str, Any]]] = []
    width = 0
    for lane, step in rows:
        needed = max(len(_column(lane, step)), len(step["source"])) + 2
        if part and width + needed > MOST_COLUMNS_WIDE:
            yield part
            part, width = [], 0
        part.append((lane, step))
        width += needed
    if part:
        yield part


def _shown(rows: Sequence[tuple[Any, dict[str, Any]]]) -> list[str]:
    """The buckets that have a price of their own in some lane: what only repeats another's tells nobody anything."""

    def is_own(bucket: str, step: dict[str, Any]) -> bool:
        prices = step["usd_per_million"]
        is_repeated = bucket in KIN and prices[bucket] == prices[KIN[bucket]]
        return bucket not in step["at_the_price_of_another"] and not is_repeated

    return [bucket for bucket in BUCKETS if any(is_own(bucket, step) for _, step in rows)]


def _plain(usd: Decimal) -> Decimal:
    return usd.normalize() + 0


def _note_document(note: "PriceNote", at: datetime) -> dict[str, Any]:
    rates = getattr(note, "rates", None)
    return {
        "kind": "correction" if rates is not None else "unsettled",
        "holds": note.holds_at(at),
        "lane": note.lane,
        "from": note.since,
        "until": note.until,
        "weekdays": note.weekdays,
        "hours": note.hours,
        "rates": rates,
        "why": note.why,
        "source": note.source,
        "noted": note.noted,
    }


def _period_document(lane: Tier, period: "PricePeriod") -> dict[str, Any]:
    return {
        "lane": lane,
        "from": period.since,
        "until": period.until,
        "hours": period.hours,
        "steps": [rates_document(step.above_tokens, step.rates) for step in period.steps],
    }


def _print_price(document: dict[str, Any]) -> None:
    name, at = document["model"], document["at"]
    if not document["lanes"]:
        click.echo(f"{name}: no price is known at {at:%Y-%m-%d %H:%M} UTC; prices.toml can give one (docs/prices.md)")
        return
    sold = f"sold by {document['seller']}, listed as {document['listed_as']}" if document["seller"] else "not listed"
    output.print_text(f"{name} at {at:%Y-%m-%d %H:%M} UTC, {sold}. Dollars per million tokens.")
    rows = [(lane["lane"], step) for lane in document["lanes"] for step in lane["steps"]]
    buckets, fees = _shown(rows), dict.fromkeys(fee for _, step in rows for fee in step["usd_each"])
    for part in _fitting(rows):
        output.print_table(
            ["bucket", *(_column(lane, step) for lane, step in part)],
            [
                *([bucket, *(_usd(step["usd_per_million"][bucket]) for _, step in part)] for bucket in buckets),
                *([f"{fee} (each)", *(_usd(step["usd_each"].get(fee)) for _, step in part)] for fee in fees),
                ["basis", *(step["basis"] for _, step in part)],
                ["source", *(step["source"] for _, step in part)],
            ],
        )
    if document["name_is_listed"] is False:
        output.print_text(f"The list has no {name}, only a model whose name begins alike: an estimate.")
    for note in document["notes"]:
        if note["holds"]:
            kind = "Corrected" if note["kind"] == "correction" else "Not settled"
            output.print_text(f"{kind}: {note['why']} ({note['source']}, noted {note['noted']}).")
    _print_history(document["history"])


def _column(lane: str, step: dict[str, Any]) -> str:
    return f"{lane} above {step['above_tokens']:,}" if step["above_tokens"] else lane


def _usd(usd: Decimal | None) -> str:
    return "" if usd is None else f"{usd:f}"


def _print_history(history: list[dict[str, Any]]) -> None:
    rows = [
        [
            period["lane"],
            f"{period['from']:%Y-%m-%d %H:%M}" if period["from"] else "",
            f"{period['until']:%Y-%m-%d %H:%M}" if period["until"] else "",
            period["hours"],
            *(_usd(period["steps"][0]["usd_per_million"][bucket]) if period["steps"] else "unknown"
              for bucket in ("input_uncached", "cache_read", "output_visible")),
            period["steps"][0]["source"] if period["steps"] else "",
        ]
        for period in history
    ]  # fmt: skip
    columns = ["lane", "from", "until", "hours (UTC)", "input", "cache read", "output", "source"]
    if not any(row[3] for row in rows):  # few prices go by the clock
        columns, rows = columns[:3] + columns[4:], [row[:3] + row[4:] for row in rows]
    output.print_table(columns, rows, title="History", left=len(columns) - 4)


@dataclass(frozen=True, kw_only=True)
class DiffOptions(LedgerOptions):
    old: str
    new: str
    price_path: Path | None
    as_json: bool


@command.command("diff")
@click.argument("old")
@click.argument("new")
@prices_option
@ledger_option
@json_option
@pass_options(DiffOptions)
def diff(options: DiffOptions) -> None:
    """Show what the calls of the ledger cost at OLD prices, and what they would cost at NEW ones.

    A source of prices is one of: 'booked' (what the ledger has), 'list' (what is known today of the prices of each
    call's day, with your own above them), a day such as 2026-09-01 (all calls at the prices of that day), a
    prices.toml, or a file that 'modicum prices --save FILE' wrote. What is booked stays as it is.

    \b
    Examples:
      modicum prices diff booked list
      modicum prices diff 2026-09-01 2026-11-01
      modicum prices diff list new-agreement.toml
    """
    from modicum.insights.price_changes import compare_prices

    settings = read_settings()
    own = resources.load_prices(options.price_path, settings)
    old, new = (_pricing(name, own) for name in (options.old, options.new))
    with resources.open_ledger(options.ledger_url, settings) as store:
        rows = compare_prices((entry for batch in store.entries() for entry in batch), old, new)
    own.save()
    if options.as_json:
        output.print_json(_diff_document(options, rows))
    else:
        _print_diff(options, rows)


def _pricing(name: str, own: "PriceBook") -> "Pricing":
    """The source of prices that a word names."""
    from modicum.insights.price_changes import price_as_booked, price_with
    from modicum.metering.saved_prices import SavedPrices

    if name == "booked":
        return price_as_booked
    if name == "list":
        return price_with(own)
    path = Path(name)
    if path.suffix == ".toml":
        return price_with(resources.load_prices(path))
    if path.suffix == ".json":
        return price_with(SavedPrices.read(path))
    try:
        return price_with(own, parse_time(name, checked_zone("UTC"), datetime.now(UTC)))
    except UserError:
        raise UserError(
            f"'{name}' is no source of prices; write booked, list, a day such as 2026-09-01, a prices.toml, or a file "
            "of 'modicum prices --save FILE'"
        ) from None


def _totals(rows: "list[PriceChange]") -> tuple[Decimal, Decimal]:
    return sum((row.old_usd for row in rows), Decimal(0)), sum((row.new_usd for row in rows), Decimal(0))


def _diff_document(options: DiffOptions, rows: "list[PriceChange]") -> dict[str, Any]:
    old, new = _totals(rows)
    return {
        "old": options.old,
        "new": options.new,
        "old_usd": old,
        "new_usd": new,
        "change_usd": new - old,
        "rows": [{**msgspec.structs.asdict(row), "change_usd": row.change_usd} for row in rows],
    }


def _print_diff(options: DiffOptions, rows: "list[PriceChange]") -> None:
    old, new = _totals(rows)
    output.print_table(
        ["model", "provider", "calls", "changed", options.old, options.new, "change"],
        [
            [
                row.model,
                row.provider,
                output.count(row.calls),
                output.count(row.changed),
                output.dollars(row.old_usd),
                output.dollars(row.new_usd),
                _signed(row.change_usd),
            ]
            for row in rows
        ],
        left=2,
        footer=["", "", "", "", output.dollars(old), output.dollars(new), _signed(new - old)],
    )
    for count, has, lacks in (
        (sum(row.only_old for row in rows), options.old, options.new),
        (sum(row.only_new for row in rows), options.new, options.old),
    ):
        if count:
            output.print_text(f"Left out: {output.count(count)} calls that have a price in {has} and none in {lacks}.")
    output.print_text("What is booked stays as it is.")


def _signed(usd: Decimal) -> str:
    return "$0.00" if not usd else f"{'+' if usd > 0 else '-'}{output.dollars(abs(usd))}"
