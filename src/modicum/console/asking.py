"""What pages ask: the ledger, and what lies beside it. Every answer is shared by all viewers."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from modicum.calls import UserError
from modicum.console.answers import Answers, Burden
from modicum.console.jobs import JobResult, Jobs
from modicum.insights.scoping.scope import Scope
from modicum.ledger.record_table import N, RecordTable
from modicum.ledger.rows import Row
from modicum.ledger.store import Store
from modicum.metering.prices import PriceBook
from modicum.settings import Settings

T = TypeVar("T")


PAGE_S = 0.4
"""How long a page that was made is handed out again."""


class LedgerAwayError(UserError):
    """The ledger, or what lies beside it, cannot be asked just now; the address is not at fault."""


class Sources(msgspec.Struct, frozen=True, kw_only=True):
    """Where a console has its figures from."""

    open_store: Callable[[], AbstractContextManager[Store]]
    """The ledger, through whoever holds it."""
    read_settings: Callable[[], Settings]
    prices: PriceBook
    state: Path
    """The folder of the gateway's state."""
    audit: Callable[[Scope, tuple[str, ...]], Mapping[str, Any]]
    """The document of `modicum audit --json` for the same time, with changes to replay. It may take minutes."""
    find_live: Callable[[], Mapping[str, Any] | None] = lambda: None
    """What ended within the last minute; None: nobody can say."""


class Asking:
    """Asks for pages."""

    def __init__(self, sources: Sources, answers: Answers | None = None) -> None:
        self.sources = sources
        self._answers, self._jobs = answers or Answers(), Jobs()
        self._made_pages = Answers()

    def rows(self, question: str, **parameters: Any) -> list[Row]:
        """The rows that answer a question of the ledger.

        Raises:
            UserError: the ledger is away.
        """
        key = ("ask", question, _frozen(parameters))
        return self.share(key, lambda: self._from_ledger(lambda store: store.ask(question, **parameters)))

    def records(self, table: RecordTable[N], since: datetime | None = None, until: datetime | None = None) -> list[N]:
        """The nouns of one table.

        Raises:
            UserError: the ledger is away.
        """
        key = ("records", table.name, since, until)
        return self.share(key, lambda: self._from_ledger(lambda store: store.records(table, since, until)))

    def live(self) -> Mapping[str, Any] | None:
        """What ended within the last minute, by model."""
        return self._answers.get(("live",), self.sources.find_live, burden=Burden.MEMORY)

    def audit(self, scope: Scope, what_ifs: tuple[str, ...]) -> JobResult:
        """The last audit of that time, at once; one begins in the background where there is none, or it is old."""
        return self._jobs.get(_audit_key(scope, what_ifs), lambda: self.sources.audit(scope, what_ifs))

    def last_audit(self, scope: Scope) -> JobResult:
        """The last audit of that time, if somebody had one made."""
        return self._jobs.last(_audit_key(scope, ()))

    def settings(self) -> Settings:
        try:
            return self._answers.get(("settings",), self.sources.read_settings, burden=Burden.NOBODY)
        except UserError as error:
            raise LedgerAwayError(str(error)) from None

    def forget(self) -> None:
        """Has everything asked anew: something was changed."""
        self._answers.clear()
        self._made_pages.clear()

    def with_store(self, use: Callable[[Store], T]) -> T:
        """Uses the ledger, without sharing the answer."""
        with self.sources.open_store() as store:
            return use(store)

    def _from_ledger(self, use: Callable[[Store], T]) -> T:
        try:
            return self.with_store(use)
        except UserError as error:
            raise LedgerAwayError(str(error)) from None

    def share(self, key: Any, compute: Callable[[], T]) -> T:
        """An answer that all viewers share."""
        return self._answers.get(key, compute)

    def share_page(self, key: Any, render: Callable[[], T]) -> T:
        """A page that all its viewers share. What it is made of is shared on its own."""
        return self._made_pages.get(key, render, PAGE_S, Burden.NOBODY)


def _audit_key(scope: Scope, what_ifs: tuple[str, ...]) -> tuple[object, ...]:
    return _rounded(scope.since), _rounded(scope.until), scope.zone, what_ifs


def _rounded(at: datetime) -> datetime:
    """To the hour: `7d` means another moment with every request, and the same audit all the same."""
    return at.replace(minute=0, second=0, microsecond=0)


def _frozen(value: Any) -> Any:
    if isinstance(value, Mapping):
        return tuple(sorted((name, _frozen(one)) for name, one in value.items()))
    return value
