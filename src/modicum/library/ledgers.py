"""`modicum.open_ledger`: the ledger held open, for several questions in a row."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import msgspec

from modicum.calls import BUCKETS, Entry
from modicum.calls.outside.tabular import Tabular
from modicum.insights.scoping.persons import PersonRule
from modicum.ledger.store import Store
from modicum.library import resources
from modicum.library.audits import AuditOfCalls, audit_of_store
from modicum.library.bills import BillAnswer, bill_of_store
from modicum.library.choosing import choose_from
from modicum.library.shown_figures import person_rule
from modicum.library.sources import Moment, Where, load_prices, read_scope
from modicum.metering.prices import PriceBook
from modicum.settings import read_settings

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class CallTable(Tabular):
    """Calls, the oldest first."""

    entries: tuple[Entry, ...]
    persons: PersonRule
    """Whose names stand in the rows."""

    def to_dicts(self) -> list[dict[str, Any]]:
        return [_call_row(entry, self.persons) for entry in self.entries]


class Ledger:
    """A ledger to ask. Use it in a `with`, or `close` it: while it is open, a ledger that is a file is nobody else's.

    Args:
        place: a file or `clickhouse://...`; None: that of the settings. If `modicum up` runs, it is asked.
        prices: a `prices.toml`, above the list prices.

    Raises:
        UserError: there is no such ledger.
    """

    def __init__(self, place: str | None = None, prices: "str | Path | PriceBook | None" = None) -> None:
        settings = read_settings()
        self._prices = load_prices(prices, settings)
        self._open = ExitStack()
        self._store: Store = self._open.enter_context(resources.open_ledger(place, settings))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def place(self) -> str:
        return self._store.place

    def close(self) -> None:
        self._open.close()

    def bill(
        self,
        *,
        by: str | Sequence[str] = "model",
        since: Moment = None,
        until: Moment = None,
        where: Where = None,
        timezone: str | None = None,
    ) -> BillAnswer:
        """As `modicum.bill`."""
        scope = read_scope(since, until, where, timezone)
        return bill_of_store(self._store, scope, self._prices, [by] if isinstance(by, str) else by)

    def audit(
        self,
        *,
        only: str | Sequence[str] = (),
        what_if: str | Sequence[str] = (),
        since: Moment = None,
        until: Moment = None,
        where: Where = None,
        timezone: str | None = None,
    ) -> AuditOfCalls:
        """As `modicum.audit`."""
        scope = read_scope(since, until, where, timezone)
        return audit_of_store(self._store, scope, self._prices, only, what_if)

    def calls(
        self, *, since: Moment = None, until: Moment = None, where: Where = None, timezone: str | None = None
    ) -> CallTable:
        """The calls, one by one: no text is in a ledger, and none in them."""
        scope = read_scope(since, until, where, timezone)
        begin, end = scope.span
        with choose_from(self._store, scope.conditions, scope.zone.zone, whole_conversations=False) as chosen:
            entries = [entry for entry in _entries(chosen) if begin <= entry.call.started < end]
        entries.sort(key=lambda entry: (entry.call.started, entry.call.call_id))
        return CallTable(tuple(entries), person_rule(scope.settings))

    def ask(self, question: str, **parameters: Any) -> list[dict[str, Any]]:
        """The rows of one of the questions in `modicum/ledger/questions/`, with its own parameters.

        Raises:
            UserError: there is no such question.
        """
        return [dict(row) for row in self._store.ask(question, **parameters)]


def _entries(store: "Store") -> Iterator[Entry]:
    for batch in store.entries():
        yield from batch


def _call_row(entry: Entry, persons: PersonRule) -> dict[str, Any]:
    call, cost = entry.call, entry.cost
    user = None if persons.hides(call.owner.user) else call.owner.user
    whole: timedelta | None = None if call.finished is None else call.finished - call.started
    return {
        "call_id": call.call_id,
        "started": call.started,
        "seconds": None if whole is None else whole.total_seconds(),
        "provider": call.provider,
        "model": call.model,
        "status": call.status,
        "task": call.task,
        "agent": call.agent,
        "project": call.project,
        "source": call.source,
        "owner": msgspec.structs.asdict(call.owner) | {"user": user},
        **{bucket: getattr(call.usage, bucket, None) for bucket in BUCKETS},
        "cost_usd": cost.usd,
        "basis": cost.basis,
        "tags": dict(call.tags),
    }


def open_ledger(place: str | None = None, *, prices: "str | Path | PriceBook | None" = None) -> Ledger:
    """The ledger, held open: `with modicum.open_ledger() as ledger: ledger.bill(by="team").to_pandas()`.

    Args:
        place: a file or `clickhouse://...`; None: that of the settings.
        prices: a `prices.toml`, above the list prices.
    """
    return Ledger(place, prices)
