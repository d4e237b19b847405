"""`modicum blocks`: the five-hour blocks and weeks of a subscription, and what the open ones come to."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

import click

from modicum.calls import Basis, Problem, UserError
from modicum.calls.problem import problem_rows
from modicum.calls.words.percentages import percent
from modicum.cli import shared_options as shared
from modicum.cli.inputs.chosen_calls import ChoiceOptions, choice_options
from modicum.cli.inputs.ledger_months import FILL, no_calls_of
from modicum.cli.inputs.log_reading import NO_CALLS, print_problems, read_logs
from modicum.cli.terminal import output
from modicum.library import resources
from modicum.library.choosing import choose_for_questions
from modicum.settings import Settings, UserZone, read_settings, user_zone

if TYPE_CHECKING:
    from modicum.insights.plan_usage.windows import Minute, PlanWindow

SHOWN = 8
LARGEST = "max"


@dataclass(frozen=True, kw_only=True)
class BlockOptions(shared.LogOptions, shared.SpanOptions, ChoiceOptions):
    week_begins: str
    limit: str | None
    week_limit: str | None
    show_all: bool
    timezone: str | None
    found: bool
    as_csv: bool


@click.command()
@click.option(
    "--week-begins",
    default="mon 00:00",
    show_default=True,
    metavar="DAY TIME",
    help="When a week of your plan begins, as its page says: 'thu 14:00'.",
)
@click.option("--limit", metavar="USD", help="What a block may use; max: the most that one of yours ever used.")
@click.option("--week-limit", metavar="USD", help="What a week may use; max: likewise.")
@click.option("--all", "show_all", is_flag=True, help=f"All windows. Default: the last {SHOWN} of each kind.")
@shared.span_options()
@choice_options
@shared.timezone_option
@shared.found_option
@shared.csv_option
@shared.log_options
@shared.pass_options(BlockOptions)
def command(options: BlockOptions) -> None:
    """Show the five-hour blocks and weeks of a subscription, and what the open ones come to.

    A block begins with the first call after the one before has ended, at the full hour, and lasts five hours. Dollars
    are list prices: they say how much was used, not what a plan charges.

    \b
    Examples:
      modicum blocks ~/.claude/projects
      modicum blocks --found --limit max --week-begins 'thu 14:00'
      modicum blocks --since 30d --csv
    """
    from modicum.insights.plan_usage.windows import largest, list_blocks, list_weeks, parse_week

    settings = read_settings()
    zone = user_zone(settings.timezone, options.timezone)
    week = parse_week(options.week_begins)
    limits = [_parse_limit("--limit", options.limit), _parse_limit("--week-limit", options.week_limit)]
    problems: list[Problem] = []
    minutes = _read_minutes(options, zone, settings, problems)
    now = datetime.now(UTC)
    most = [
        largest(list_blocks(minutes, now)) if limits[0] == LARGEST else limits[0],
        largest(list_weeks(minutes, now, week, zone.zone)) if limits[1] == LARGEST else limits[1],
    ]
    known = [one if isinstance(one, Decimal) else None for one in most]
    blocks = list_blocks(minutes, now, known[0])
    weeks = list_weeks(minutes, now, week, zone.zone, known[1])
    if options.as_json:
        output.print_json(
            {
                "timezone": zone.name,
                "now": now,
                "block_limit_usd": known[0],
                "week_limit_usd": known[1],
                "blocks": blocks,
                "weeks": weeks,
                "problems": problem_rows(problems),
            }
        )
    elif options.as_csv:
        print_csv(blocks, weeks)
    elif not minutes:
        output.print_text(NO_CALLS)
    else:
        for title, windows in (("block", blocks), ("week", weeks)):
            print_windows(title, windows if options.show_all else windows[-SHOWN:], zone)
            if more := 0 if options.show_all else max(len(windows) - SHOWN, 0):
                output.print_text(f"... and {more:,} before; --all shows them")
        output.print_text(f"times are those of {zone.name} ({zone.origin}); dollars are list prices, not a plan's fee")
    print_problems(problems, strict=options.strict, quiet=options.as_json)


def _parse_limit(name: str, text: str | None) -> Decimal | str | None:
    if text is None or text == LARGEST:
        return text
    try:
        limit = Decimal(text.removeprefix("$"))
    except ArithmeticError:
        limit = Decimal(0)
    if not limit.is_finite() or limit <= 0:
        raise UserError(f"{name} {text}: write dollars, as {name} 50, or {name} {LARGEST}")
    return limit


def _read_minutes(
    options: BlockOptions, zone: UserZone, settings: Settings, problems: list[Problem]
) -> "Sequence[Minute]":
    since, until = options.span(zone.zone)
    conditions, paths = options.conditions(), options.paths
    if options.found:
        from modicum.cli.inputs.found_logs import find_logs

        paths = (*paths, *find_logs())
    if not paths:
        with (
            resources.open_ledger(options.ledger_url, settings) as whole,
            choose_for_questions(whole, conditions, zone.zone) as (store, where),
        ):
            rows = store.ask("spend_by_minute", since=since, until=until, where=where)
            if not rows:
                fill = f"{FILL}, or give the logs: 'modicum blocks PATH...'"
                raise no_calls_of(whole, "in that time", zone.zone, "name another time or other calls", fill)
            return rows
    from modicum.importers.format import Reading
    from modicum.insights.plan_usage.windows import sum_minutes
    from modicum.insights.scoping.call_choice import choose_entries
    from modicum.ledger.booking import book_all, newest

    prices = resources.load_prices(options.price_path, settings)
    found = newest(book_all(read_logs(paths, Reading(), options.source, problems), prices))
    entries = [entry for entry in found if since <= entry.call.started < until]
    prices.save()
    return sum_minutes(choose_entries(entries, conditions, zone.zone) if entries else [])


def print_csv(blocks: "Sequence[PlanWindow]", weeks: "Sequence[PlanWindow]") -> None:
    rows = [
        [
            kind,
            one.source,
            one.begins.isoformat(),
            one.ends.isoformat(),
            one.calls,
            one.prompt_tokens,
            one.completion_tokens,
            "" if one.cost_usd is None else f"{one.cost_usd:f}",
            one.basis.value,
            one.calls_unpriced,
            "yes" if one.is_open else "no",
        ]
        for kind, windows in (("block", blocks), ("week", weeks))
        for one in windows
    ]
    columns = ["window", "source", "begins", "ends", "calls", "prompt_tokens", "completion_tokens", "cost_usd", "basis"]
    output.print_csv([*columns, "calls_unpriced", "is_open"], rows)


def print_windows(title: str, windows: "Sequence[PlanWindow]", zone: UserZone) -> None:
    """The windows as a table, and below it what an open one comes to."""
    form = "%Y-%m-%d %H:%M"
    has_limit = any(one.share_of_limit is not None for one in windows)
    output.print_table(
        [title, "until", "source", "calls", "tokens", "used", *(["of limit"] if has_limit else []), ""],
        [
            [
                one.begins.astimezone(zone.zone).strftime(form),
                one.ends.astimezone(zone.zone).strftime("%H:%M" if title == "block" else form),
                one.source,
                output.count(one.calls),
                output.count(one.prompt_tokens + one.completion_tokens),
                _format_used(one),
                *([percent(one.share_of_limit, 0) if one.share_of_limit is not None else ""] if has_limit else []),
                "open" if one.is_open else "",
            ]
            for one in windows
        ],
        left=3,
    )
    for one in windows:
        if one.forecast is not None:
            output.print_text(f"  {describe_forecast(one, zone, datetime.now(UTC))}")


def _format_used(one: "PlanWindow") -> str:
    sign = {Basis.LOWER_BOUND: ">= ", Basis.ESTIMATED: "~ "}.get(one.basis, "")
    return sign + output.dollars(one.cost_usd)


def describe_forecast(one: "PlanWindow", zone: UserZone, now: datetime) -> str:
    """What an open window comes to, in a sentence."""
    forecast = one.forecast
    assert forecast is not None  # noqa: S101 - callers ask for open windows
    minutes = max(int((one.ends - now).total_seconds() // 60), 0)
    low, high = sorted((forecast.usd_at_pace_of_window, forecast.usd_at_recent_pace))
    line = (
        f"{one.source}: {minutes // 60} h {minutes % 60:02} min left; it comes to between {output.dollars(low)} and "
        f"{output.dollars(high)}: {output.dollars(forecast.usd_at_pace_of_window)} at the pace of the window, "
        f"{output.dollars(forecast.usd_at_recent_pace)} at that of the last hour"
    )
    if forecast.limit_at is not None:
        line += f"; the limit is reached at {forecast.limit_at.astimezone(zone.zone):%a %H:%M}"
    return line
