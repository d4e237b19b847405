"""`modicum.bill`: what was spent, as `modicum bill` shows it."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modicum.calls import Problem, UserError
from modicum.insights.bill import Bill, bill_document, build
from modicum.insights.dimensions import BILL, OF_AGENTS, parse_dimensions
from modicum.insights.doubts import Doubt, find_doubts
from modicum.insights.scoping.persons import group_persons
from modicum.insights.scoping.time_span import bounds_or_none
from modicum.library.choosing import choose_for_questions
from modicum.library.other_prices import at_prices_of, other_prices
from modicum.library.paths import Paths
from modicum.library.shown_figures import person_rule
from modicum.library.sources import CallScope, Moment, Where, load_prices, open_source, read_scope

if TYPE_CHECKING:
    from modicum.ledger.store import Store
    from modicum.metering.prices import PriceBook


class BillAnswer(Bill, frozen=True, kw_only=True):
    """A bill, with what stands behind it."""

    since: datetime | None
    until: datetime | None
    timezone: str
    """In which days begin."""
    doubts: list[Doubt]
    """Why figures are not exact; empty where all are."""
    problems: list[Problem]
    """What could not be read of the logs."""

    def to_document(self) -> dict[str, Any]:
        """As `modicum bill --json` prints it."""
        document = bill_document(self, self.by, self.timezone, self.since, self.until, self.problems)
        return document | {"doubts": self.doubts}


def bill(
    paths: Paths | None = None,
    *,
    by: str | Sequence[str] = "model",
    since: Moment = None,
    until: Moment = None,
    where: Where = None,
    source: str | None = None,
    ledger: str | None = None,
    prices: "str | Path | PriceBook | None" = None,
    prices_of: str | None = None,
    timezone: str | None = None,
) -> BillAnswer:
    """What was spent, by model or by another dimension.

    Args:
        paths: logs and folders of logs; None: the ledger.
        by: a dimension as `--by` takes it (`model`, `day`, `project`, `tag:feature`, ...), or up to three.
        since: the first moment; None: the beginning.
        until: the first moment after it; None: no end.
        where: which calls, by dimension: `{"team": "search", "model": "claude-*"}`.
        source: the format of the logs; None: recognised.
        ledger: its place; None: that of the settings.
        prices: a `prices.toml`, above the list prices.
        prices_of: a day or a model whose prices hold for all calls.
        timezone: in which days begin; None: as the settings or this machine say.

    Raises:
        UserError: what the message says: no such path, dimension, time or ledger, or no calls.
    """
    scope = read_scope(since, until, where, timezone)
    book = load_prices(prices, scope.settings)
    if prices_of is not None:
        book = other_prices(prices_of, book, scope.zone.zone)
    names = [by] if isinstance(by, str) else list(by)
    _parse_dimensions(names)  # before anything is read
    anatomy = any(name in OF_AGENTS for name in ",".join(names).split(",")) or any(
        one.tag in OF_AGENTS for one in scope.conditions
    )
    with open_source(paths, scope, book, ledger=ledger, source=source, anatomy=anatomy) as store:
        return bill_of_store(store, scope, book, names)


def bill_of_store(store: "Store", scope: CallScope, prices: "PriceBook", by: Sequence[str]) -> BillAnswer:
    """The bill of an open ledger."""
    dimensions = _parse_dimensions(by)
    names, tags = [name for name, _ in dimensions], [tag for _, tag in dimensions]
    since, until = scope.span
    with (
        at_prices_of(store, prices) as whole,
        choose_for_questions(whole, scope.conditions, scope.zone.zone) as (chosen, where),
    ):
        calls = {"zone": scope.zone.name, "since": since, "until": until, "where": where}
        rows = chosen.ask("bill", by=names, tag=tags, **calls)
        doubts = chosen.ask("doubts", **calls)
    found = build(group_persons(list(rows), names, person_rule(scope.settings)), names)
    first, last = bounds_or_none(scope.span)
    fields: dict[str, Any] = {name: getattr(found, name) for name in Bill.__struct_fields__}
    return BillAnswer(
        **fields | {"by": ",".join(by)},
        since=first,
        until=last,
        timezone=scope.zone.name,
        doubts=find_doubts(doubts, prices),
        problems=scope.problems,
    )


def _parse_dimensions(by: Sequence[str]) -> Sequence[tuple[str, str]]:
    dimensions = parse_dimensions("bill", tuple(by), BILL)
    if any(name == "tool" for name, _ in dimensions):
        raise UserError("calls belong to no tool: modicum.audit(...).rent has what each tool's results cost")
    return dimensions
