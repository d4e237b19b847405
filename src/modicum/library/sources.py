"""Where the calls come from that a question is about: logs that are named, or the ledger."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import TYPE_CHECKING

from modicum.calls import Call, Problem, UserError
from modicum.importers import read_calls
from modicum.insights.scoping.call_choice import Condition, parse_conditions
from modicum.insights.scoping.persons import check_persons
from modicum.insights.scoping.time_span import EVER, NEVER, parse_time
from modicum.library import resources
from modicum.library.call_booking import book_calls, make_reading
from modicum.library.paths import Paths, as_paths
from modicum.library.shown_figures import person_rule
from modicum.settings import Settings, UserZone, read_settings, user_zone

if TYPE_CHECKING:
    from modicum.ledger.store import Store
    from modicum.metering.prices import PriceBook

Moment = str | date | datetime | None
"""A text as `--since` takes it (`2026-01-31`, `7d`, `today`), a day, or a time; without a zone it is in the user's."""
Where = Mapping[str, str | Sequence[str]] | None
"""Which calls: patterns by dimension, `{"team": "search", "model": ["claude-*", "gpt-5"], "tag:feature": "chat"}`."""
SHOWN_PROBLEMS = 3


@dataclass(frozen=True, kw_only=True)
class CallScope:
    """Which calls a question is about."""

    settings: Settings
    zone: UserZone
    span: tuple[datetime, datetime]
    conditions: tuple[Condition, ...]
    problems: list[Problem] = field(default_factory=list)
    """What could not be read."""


def read_scope(
    since: Moment = None, until: Moment = None, where: Where = None, timezone: str | None = None
) -> CallScope:
    """The calls that are meant, by the user's settings.

    Raises:
        UserError: a time, a zone or a dimension cannot be read, or figures of a person are asked for that the settings
            do not show.
    """
    settings = read_settings()
    zone = user_zone(settings.timezone, timezone)
    span = _moment(since, zone, EVER), _moment(until, zone, NEVER)
    if span[0] >= span[1]:
        raise UserError(
            f"since ({span[0]:%Y-%m-%d %H:%M} UTC) does not come before until ({span[1]:%Y-%m-%d %H:%M} UTC)"
        )
    named = [
        ("task" if by == "session" else by, pattern)
        for by, patterns in (where or {}).items()
        for pattern in ([patterns] if isinstance(patterns, str) else patterns)
    ]
    conditions = parse_conditions(named)
    if conditions:
        check_persons(conditions, person_rule(settings))
    return CallScope(settings=settings, zone=zone, span=span, conditions=conditions)


def _moment(given: Moment, zone: UserZone, otherwise: datetime) -> datetime:
    if given is None or isinstance(given, str):
        return parse_time(given, zone.zone, otherwise)
    if not isinstance(given, datetime):
        given = datetime.combine(given, time.min)
    return (given if given.tzinfo else given.replace(tzinfo=zone.zone)).astimezone(UTC)


def load_prices(prices: "str | Path | PriceBook | None", settings: Settings) -> "PriceBook":
    """The prices that were given: a `prices.toml`, a book of prices, or those of the settings."""
    if prices is None or isinstance(prices, (str, Path)):
        return resources.load_prices(None if prices is None else Path(prices), settings)
    return prices


@contextmanager
def open_source(
    paths: Paths | None,
    scope: CallScope,
    prices: "PriceBook",
    *,
    ledger: str | None = None,
    source: str | None = None,
    anatomy: bool = False,
) -> "Iterator[Store]":
    """A ledger to ask: the user's, or one in memory that holds just these logs.

    Args:
        paths: logs and folders; None: the ledger.
        scope: takes the problems of the logs.
        prices: of the calls in the logs.
        ledger: its place; None: that of the settings.
        source: the format of the logs; None: recognised.
        anatomy: whether logs are read with what their prompts consisted of.

    Raises:
        UserError: a path does not exist, there is no call in the logs, or the ledger is empty.
    """
    if paths is None:
        with resources.open_ledger(ledger, scope.settings) as store:
            if not store.ask("holdings"):
                raise UserError(
                    f"the ledger {store.place} is empty; name logs, or fill it with 'modicum import PATH...'"
                )
            yield store
        return
    with resources.open_ledger(":memory:", scope.settings) as store:
        calls = _read_calls(as_paths(paths), scope.problems, source, anatomy=anatomy)
        if not book_calls(calls, store, prices).booked:
            reasons = "; ".join(str(problem) for problem in scope.problems[:SHOWN_PROBLEMS])
            raise UserError(f"there is no call in these logs{f': {reasons}' if reasons else ''}")
        prices.save()
        yield store


def _read_calls(paths: Sequence[Path], problems: list[Problem], source: str | None, *, anatomy: bool) -> Iterator[Call]:

    # In this process alone: others would import the user's own script once more, which need not stand that.
    for found in read_calls(paths, make_reading(anatomy=anatomy), source=source, processes=1):
        if isinstance(found, Problem):
            problems.append(found)
        else:
            yield found
