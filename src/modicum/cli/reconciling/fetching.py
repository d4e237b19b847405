"""`--from`: reports that are asked of providers' APIs, with the key of an administrator."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import click

from modicum.calls import UserError
from modicum.cli import shared_options as shared
from modicum.cli.terminal import output
from modicum.insights.scoping.time_span import EVER, NEVER
from modicum.reports.reconciliation.report_requests import ADDRESSES, KEY_PLACES, PROVIDERS
from modicum.settings.secret import secret_at

MOST_DAYS = 3_660


@dataclass(frozen=True, kw_only=True)
class FetchOptions(shared.SpanOptions):
    """Whom to ask, for which days, and with which key."""

    providers: tuple[str, ...]
    admin_key: str | None
    url: str | None
    save: Path | None


def fetch_options(command: shared.Verb) -> shared.Verb:
    """All options of `FetchOptions`."""
    save = click.option(
        "--save",
        type=click.Path(file_okay=False, path_type=Path),
        metavar="DIRECTORY",
        help="Keep the pages that were asked for.",
    )
    url = click.option("--url", help="Another address of the API, as of 'modicum mock'.")
    key = click.option(
        "--admin-key",
        metavar="PLACE",
        help="Where the administrator's key is: env:NAME or file:PATH. "
        f"Default: {', '.join(f'{KEY_PLACES[one]} ({one})' for one in PROVIDERS)}.",
    )
    source = click.option(
        "--from",
        "providers",
        type=click.Choice(PROVIDERS),
        multiple=True,
        help="Ask this provider's API for its reports; may come again.",
    )
    spans = shared.span_options("of reports that are asked for, in UTC; by default the month of yesterday")
    return source(spans(key(url(save(command)))))


@contextmanager
def fetched_reports(options: FetchOptions, *, with_keys: bool) -> Iterator[list[Path]]:
    """The pages of the providers that are to be asked, as files that are there for as long.

    Raises:
        UserError: a key is missing, a provider does not answer, or the options do not fit together.
    """
    if not options.providers:
        times = ("--since", options.since), ("--until", options.until)
        others = ("--admin-key", options.admin_key), ("--url", options.url), ("--save", options.save)
        if given := next((name for name, value in (*times, *others) if value), ""):
            raise UserError(f"{given} is about reports that are asked for: say --from openai or --from anthropic too")
        yield []
        return
    if len(set(options.providers)) > 1 and (options.admin_key or options.url):
        raise UserError("--admin-key and --url are for one provider: ask the other one by another command")
    first, until = fetched_days(options, datetime.now(UTC).date())
    with tempfile.TemporaryDirectory(prefix="modicum-reports-") as plain:
        folder = options.save or Path(plain)
        folder.mkdir(parents=True, exist_ok=True)
        yield [
            path
            for provider in dict.fromkeys(options.providers)
            for path in _fetch(options, provider, folder, first, until, with_keys=with_keys)
        ]


def fetched_days(options: shared.SpanOptions, today: date) -> tuple[date, date]:
    """The first day that is asked for, and the first that is not, in UTC. Without options the month of yesterday.

    Raises:
        UserError: these are no days, or too many.
    """
    since, until = options.span(ZoneInfo("UTC"))
    last = today if until == NEVER else (until - timedelta(microseconds=1)).date() + timedelta(days=1)
    first = (last - timedelta(days=1)).replace(day=1) if since == EVER else since.date()
    if not first < last or (last - first).days > MOST_DAYS:
        raise UserError(f"--since {first} and --until {last}: these are no days, or more than ten years of them")
    return first, last


def _fetch(
    options: FetchOptions, provider: str, folder: Path, first: date, until: date, *, with_keys: bool
) -> list[Path]:
    from modicum.cli.reconciling.report_source import ReportSource

    key = secret_at("--admin-key", options.admin_key or KEY_PLACES[provider])
    source = ReportSource(provider, options.url or ADDRESSES[provider], key)
    pages = source.fetch(folder, first, until, with_keys=with_keys)
    click.echo(f"{provider}: {output.number_of(len(pages), 'page')} of reports, {first} to {until}", err=True)
    return pages
