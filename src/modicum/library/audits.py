"""`modicum.audit`: what a bill was spent on and what of it was waste, as `modicum audit` shows it."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modicum.calls import Problem
from modicum.insights.audit import Audit
from modicum.insights.audit import audit as audit_store
from modicum.library.choosing import choose_from
from modicum.library.other_prices import at_prices_of, other_prices
from modicum.library.paths import Paths
from modicum.library.sources import CallScope, Moment, Where, load_prices, open_source, read_scope

if TYPE_CHECKING:
    from modicum.ledger.store import Store
    from modicum.metering.prices import PriceBook


class AuditOfCalls(Audit, frozen=True, kw_only=True):
    """An audit, with what could not be read of the logs."""

    problems: list[Problem]


def audit(
    paths: Paths | None = None,
    *,
    only: str | Sequence[str] = (),
    what_if: str | Sequence[str] = (),
    since: Moment = None,
    until: Moment = None,
    where: Where = None,
    source: str | None = None,
    ledger: str | None = None,
    prices: "str | Path | PriceBook | None" = None,
    prices_of: str | None = None,
    timezone: str | None = None,
) -> AuditOfCalls:
    """The audit of these calls.

    Args:
        paths: logs and folders of logs; None: the ledger.
        only: one or more findings, by name or id (`B3`); all where empty.
        what_if: one or more changes, as `--what-if` takes them.
        since: the first moment; None: the beginning.
        until: the first moment after it; None: no end.
        where: which conversations, by dimension of their first call.
        source: the format of the logs; None: recognised.
        ledger: its place; None: that of the settings.
        prices: a `prices.toml`, above the list prices.
        prices_of: a day or a model whose prices hold for all calls.
        timezone: in which days begin; None: as the settings or this machine say.

    Raises:
        UserError: what the message says.
    """
    scope = read_scope(since, until, where, timezone)
    book = load_prices(prices, scope.settings)
    if prices_of is not None:
        book = other_prices(prices_of, book, scope.zone.zone)
    with open_source(paths, scope, book, ledger=ledger, source=source, anatomy=True) as store:
        return audit_of_store(store, scope, book, only, what_if)


def audit_of_store(
    store: "Store",
    scope: CallScope,
    prices: "PriceBook",
    only: str | Sequence[str],
    what_if: str | Sequence[str],
) -> AuditOfCalls:
    """The audit of an open ledger."""
    findings, changes = ([one] if isinstance(one, str) else one for one in (only, what_if))
    with (
        at_prices_of(store, prices) as whole,
        choose_from(whole, scope.conditions, scope.zone.zone) as chosen,
    ):
        found = audit_store(chosen, prices, scope.span, only=findings, what_ifs=changes, zone=scope.zone.zone)
    prices.save()
    fields: dict[str, Any] = {name: getattr(found, name) for name in Audit.__struct_fields__}
    return AuditOfCalls(**fields, problems=scope.problems)
