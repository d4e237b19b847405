"""`modicum prices`: what a model costs and cost, who says so, and what the past would cost at other prices."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from modicum.calls import BUCKETS, UserError
from modicum.calls.rates import KIN
from modicum.calls.words.counted_nouns import number_of
from modicum.cli.inputs.chosen_calls import ChoiceOptions, choice_options
from modicum.cli.shared_options import LedgerOptions, json_option, ledger_option, pass_options, prices_option
from modicum.cli.terminal import output
from modicum.cli.terminal.verb_group import WholeLines
from modicum.insights.scoping.time_span import parse_time
from modicum.library import resources
from modicum.library.choosing import choose_from
from modicum.library.price_documents import find_price
from modicum.settings import checked_zone, read_settings, user_zone

if TYPE_CHECKING:
    from modicum.insights.price_changes import PriceChange, Pricing
    from modicum.metering.prices import PriceBook

SHOW = "show"


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
    click.echo(f"{number_of(len(saved.saved_steps), 'price')} saved to {path}", err=True)


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
class DiffOptions(LedgerOptions, ChoiceOptions):
    old: str
    new: str
    price_path: Path | None
    as_json: bool


@command.command("diff")
@click.argument("old")
@click.argument("new")
@choice_options
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
      modicum prices diff list new-agreement.toml --team research
    """
    from modicum.insights.price_changes import compare_prices

    settings = read_settings()
    own = resources.load_prices(options.price_path, settings)
    old, new = (_pricing(name, own) for name in (options.old, options.new))
    zone = user_zone(settings.timezone).zone
    with (
        resources.open_ledger(options.ledger_url, settings) as whole,
        choose_from(whole, options.conditions(), zone, whole_conversations=False) as store,
    ):
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
            output.print_text(
                f"Left out: {number_of(count, 'call that has', 'calls that have')} a price in {has} and none in "
                f"{lacks}."
            )
    output.print_text("What is booked stays as it is.")


def _signed(usd: Decimal) -> str:
    return "$0.00" if not usd else f"{'+' if usd > 0 else '-'}{output.dollars(abs(usd))}"
