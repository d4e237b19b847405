"""`modicum reconcile`: the ledger beside the provider's own usage and cost reports."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from modicum.calls import Problem, UserError
from modicum.calls.problem import problem_rows
from modicum.cli import shared_options as shared
from modicum.cli.inputs.log_reading import print_problems, read_logs
from modicum.cli.reconciling.fetching import FetchOptions, fetch_options, fetched_reports
from modicum.cli.terminal import output
from modicum.library import resources
from modicum.settings import read_settings

if TYPE_CHECKING:
    from modicum.calls import Entry
    from modicum.reports.reconciliation.cost_reports import CostLine
    from modicum.reports.reconciliation.differences import Difference, Name, Side

BY = ("day", "model", "key")
SHOWN_USD = Decimal("0.0001")
"""A difference below this is said to be none."""


@dataclass(frozen=True, kw_only=True)
class ReconcileOptions(shared.LogOptions, FetchOptions):
    by: str
    keys: tuple[str, ...]
    shows_all: bool
    as_csv: bool


@click.command()
@fetch_options
@click.option("--by", type=click.Choice(BY), default="model", show_default=True, help="Per day, and also by this.")
@click.option("--key", "keys", multiple=True, metavar="ID=NAME", help="Our name for a provider's key, with --by key.")
@click.option("--all", "shows_all", is_flag=True, help="Show rows that agree too.")
@shared.csv_option
@shared.log_options
@shared.pass_options(ReconcileOptions)
def command(options: ReconcileOptions) -> None:
    """Set the ledger beside a provider's usage and cost reports, and say where they differ and the likely cause.

    PATHS are pages of the OpenAI and Anthropic organisation APIs, saved as they come (docs/reconcile.md). With --from
    they are asked for; the key is sent to that API alone, and stored nowhere.

    \b
    Examples:
      modicum reconcile --from openai --since 2026-11-01
      modicum reconcile usage.json costs.json
      modicum reconcile reports/ --by key --key key_abc=ci --csv
    """
    from modicum.reports.reconciliation.differences import compare_sides, difference_rows

    if not options.paths and not options.providers:
        raise UserError(
            "name the provider's reports, 'modicum reconcile usage.json costs.json', or whom to ask for them: --from "
            "openai; see docs/reconcile.md"
        )
    problems: list[Problem] = []
    with fetched_reports(options, with_keys=options.by == "key") as fetched:
        theirs, has_costs = _read_theirs(options, [*options.paths, *fetched], problems)
    if not theirs and fetched:
        print_problems(problems, strict=False, quiet=options.as_json)
        raise UserError("the reports hold no usage and no costs in that time; ask for another with --since and --until")
    if not theirs:
        print_problems(problems, strict=False, quiet=options.as_json)
        raise UserError("these files hold no rows of a usage or cost report; docs/reconcile.md says what is read")
    ours = _read_ours(options, theirs)
    found = compare_sides(ours, theirs)
    differing = [one for one in found if one.cause]
    if options.as_json:
        document = {
            "by": options.by,
            "timezone": "UTC",
            "rows": difference_rows(found if options.shows_all else differing),
        }
        output.print_json(document | {"compared": len(found), "problems": problem_rows(problems)})
    elif options.as_csv:
        _print_csv(found if options.shows_all else differing)
    else:
        _print(found if options.shows_all else differing, len(found), has_costs=has_costs)
    print_problems(problems, strict=options.strict, quiet=options.as_json or options.as_csv)


def _read_theirs(
    options: ReconcileOptions, paths: Sequence[Path], problems: list[Problem]
) -> "tuple[dict[Name, Side], bool]":
    from modicum.reports.reconciliation.cost_reports import sum_cost_lines
    from modicum.reports.reconciliation.sides import their_side

    costs: list[CostLine] = []
    usage_paths = [path for file in paths for path in _files(file) if not _read_costs(path, costs, problems)]
    keys = dict(_parse_key(text) for text in options.keys)
    entries = _read_usage(usage_paths, options, problems) if usage_paths else []
    shape = {"with_models": options.by != "day", "with_keys": options.by == "key"}
    summed = sum_cost_lines(costs)
    return their_side(entries, summed, keys, **shape), bool(summed)


def _files(path: Path) -> list[Path]:
    return sorted(one for one in path.rglob("*") if one.is_file()) if path.is_dir() else [path]


def _parse_key(text: str) -> tuple[str, str]:
    key, equals, name = text.partition("=")
    if not key or not equals:
        raise UserError(f"--key {text}: write ID=NAME, as --key key_abc=ci")
    return key, name


def _read_costs(path: Path, costs: "list[CostLine]", problems: list[Problem]) -> bool:
    """Whether it is a cost report, whose lines are then added, or a page of either report without a row."""
    from modicum.importers.files import records
    from modicum.reports.reconciliation.cost_reports import is_cost_report, is_empty_page, parse_cost_page

    is_one = False
    for found in records(path):
        if isinstance(found, Problem):
            return is_one  # whoever reads usage reports says what is wrong with it
        number, page = found
        if not is_one and not is_cost_report(page):
            return is_empty_page(page)
        is_one = True
        for line in parse_cost_page(page):
            if isinstance(line, str):
                problems.append(Problem(str(path), line, number))
            else:
                costs.append(line)
    return is_one


def _read_usage(paths: Sequence[Path], options: ReconcileOptions, problems: list[Problem]) -> "list[Entry]":
    from modicum.importers.format import Reading
    from modicum.ledger.booking import book_all, newest

    prices = resources.load_prices(options.price_path, read_settings())
    calls = read_logs(paths, Reading(), options.source, problems)
    entries = list(newest(book_all(calls, prices)))
    others = sorted({one.call.source for one in entries if not one.call.source.endswith("-usage")})
    if others:
        raise UserError(f"these are logs of {others[0]}, and no provider's report; 'modicum import' takes them")
    return entries


def _read_ours(options: ReconcileOptions, theirs: "dict[Name, Side]") -> "dict[Name, Side]":
    from modicum.reports.reconciliation.sides import our_side

    first, last = min(name[0] for name in theirs), max(name[0] for name in theirs)
    by = ["day", "provider", "model", "key"]
    with resources.open_ledger(options.ledger_url, read_settings()) as store:
        # A day more on both sides: calls around midnight.
        span = {"since": _midnight(first - timedelta(days=1)), "until": _midnight(last + timedelta(days=2))}
        cells = store.ask("bill", by=by, tag=[""] * 4, zone="UTC", where={}, **span)
    return our_side(cells, with_models=options.by != "day", with_keys=options.by == "key")


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


_COLUMNS = ("calls", "prompt_tokens", "cache_read_tokens", "completion_tokens", "usd")


def _print_csv(found: "Sequence[Difference]") -> None:
    columns = ["day", "provider", "model", "key", "our_models", "their_models", *(f"our_{name}" for name in _COLUMNS)]
    columns += [*(f"their_{name}" for name in _COLUMNS), "tokens_more", "usd_more", "cause"]
    rows: list[list[Any]] = [
        [one.day, one.provider, one.model, one.key, " ".join(one.our_models), " ".join(one.their_models)]
        + [getattr(side, name) for side in (one.ours, one.theirs) for name in _COLUMNS]
        + [one.tokens_more, one.usd_more, one.cause]
        for one in found
    ]
    output.print_csv(columns, [["" if cell is None else cell for cell in row] for row in rows])


def _more_or_less(usd: Decimal) -> str:
    """`$0.02 more`; less than a hundredth of a cent is rounding, not a charge."""
    return "as much" if abs(usd) < SHOWN_USD else f"{output.dollars(abs(usd))} {'more' if usd > 0 else 'less'}"


def _print(found: "Sequence[Difference]", compared: int, *, has_costs: bool) -> None:
    if not found:
        click.echo(f"the ledger and the reports agree in {output.number_of(compared, 'row')}")
    else:
        output.print_table(
            ["day", "of", "our tokens", "theirs", "our cost", "theirs", "likely cause"],
            [
                [
                    f"{one.day}",
                    one.key or one.model or one.provider,
                    output.count(one.ours.tokens),
                    output.count(one.theirs.tokens),
                    output.dollars(one.ours.usd),
                    "" if one.theirs.usd is None else output.dollars(one.theirs.usd),
                    one.cause,
                ]
                for one in found
            ],
            left=2,
        )
        more = sum((one.usd_more for one in found if one.usd_more is not None), Decimal(0))
        click.echo(f"{output.number_of(compared, 'row')} compared, {output.number_of(len(found), 'row')} shown")
        if has_costs:
            click.echo(f"they charge {_more_or_less(more)} in these rows")
    if not has_costs:
        output.print_text("without a cost report nobody knows what they charged: tokens alone were compared")
