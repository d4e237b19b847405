"""What pages ask: the ledger, and what lies beside it. Every answer is shared by all viewers."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from copy import copy
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from modicum.calls import AuditEvent, UserError
from modicum.console.access.reach import FigureReach
from modicum.console.access.viewer import Viewer, local_viewer
from modicum.console.answers import Answers, Burden
from modicum.console.jobs import JobResult, Jobs
from modicum.insights.scoping.persons import PersonRule
from modicum.insights.scoping.scope import Scope
from modicum.ledger.record_table import N, RecordTable
from modicum.ledger.records import AUDIT_EVENTS
from modicum.ledger.rows import Row
from modicum.ledger.store import Store
from modicum.metering.prices import PriceBook
from modicum.settings import Settings
from modicum.settings.showing.people import EVERYONE

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
    digest_key: bytes = b""
    """Of keys, tokens and sessions."""
    is_sample: bool = False
    """Whether the ledger is that of the sample shop: every page says so."""


class Asking:
    """Asks for pages, on behalf of one viewer."""

    def __init__(self, sources: Sources, answers: Answers | None = None) -> None:
        self.sources = sources
        self._answers, self._jobs = answers or Answers(), Jobs()
        self._made_pages = Answers()
        self._viewer = local_viewer()

    @property
    def viewer(self) -> Viewer:
        """On whose behalf is asked; whoever is on this machine, if nobody said otherwise."""
        return self._viewer

    def for_viewer(self, viewer: Viewer) -> "Asking":
        """Asks on behalf of another one; what has been worked out is shared as far as both may see it."""
        other = copy(self)
        other._viewer = viewer  # noqa: SLF001 - one of us
        return other

    @property
    def reach(self) -> FigureReach:
        """What may be seen."""
        people = self.settings().people
        me = people.me if self._viewer.is_local and people.me else (self._viewer.name,)
        return FigureReach(self._viewer, PersonRule(frozenset(me), people.show == EVERYONE))

    def rows(self, question: str, **parameters: Any) -> list[Row]:
        """The rows that answer a question of the ledger, as far as the viewer may see them.

        Raises:
            ForbiddenError: the viewer may not.
            UserError: the ledger is away.
        """
        reach = self.reach
        rows = reach.ask(self._rows, question, parameters)
        if others := reach.others_in(parameters):
            self._note_access(others)
        return rows

    def _note_access(self, subject: str) -> None:
        """Puts on record, once an hour, that somebody looked at figures of others by name: without a line no figure."""
        now = datetime.now(UTC)
        event = AuditEvent(
            event_id=f"access:{self._viewer.name}:{subject}:{now:%Y-%m-%dT%H}",
            at=now,
            by=self._viewer.name,
            kind="access",
            what="persons_shown",
            subject=subject,
        )
        key = ("access", event.event_id)
        self._answers.get(
            key, lambda: self._from_ledger(lambda store: store.append_records(AUDIT_EVENTS, [event])), 3600.0
        )

    def _rows(self, question: str, **parameters: Any) -> list[Row]:
        key = ("ask", question, _frozen(parameters))
        return self._answers.get(key, lambda: self._from_ledger(lambda store: store.ask(question, **parameters)))

    def records(self, table: RecordTable[N], since: datetime | None = None, until: datetime | None = None) -> list[N]:
        """The nouns of one table.

        Raises:
            ForbiddenError: they are of all teams, and the viewer sees some only.
            UserError: the ledger is away.
        """
        if table is not AUDIT_EVENTS:
            self.reach.insist_on_everything()
        key = ("records", table.name, since, until)
        found = self._answers.get(key, lambda: self._from_ledger(lambda store: store.records(table, since, until)))
        shows = self.reach.shows_owner
        return [one for one in found if not isinstance(one, AuditEvent) or shows(one.owner)]

    def live(self) -> Mapping[str, Any] | None:
        """What ended within the last minute, by model; None where the viewer sees some teams only."""
        if not self._viewer.sees_everything:
            return None
        return self._answers.get(("live",), self.sources.find_live, burden=Burden.MEMORY)

    def audit(self, scope: Scope, what_ifs: tuple[str, ...]) -> JobResult:
        """The last audit of that time, at once; one begins in the background where there is none, or it is old.

        Raises:
            ForbiddenError: it is about all teams, and the viewer sees some only.
        """
        self.reach.insist_on_everything()
        return self._jobs.get(_audit_key(scope, what_ifs), lambda: self.sources.audit(scope, what_ifs))

    def last_audit(self, scope: Scope) -> JobResult:
        """The last audit of that time, if somebody had one made and the viewer may see it."""
        if not self._viewer.sees_everything:
            return JobResult()
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
        """Uses the ledger, without sharing the answer.

        Raises:
            ForbiddenError: the viewer sees some teams only.
        """
        self.reach.insist_on_everything()
        return self.unchecked(use)

    def unchecked(self, use: Callable[[Store], T]) -> T:
        """Uses the ledger for what is shown in part (`shows_budget`), or written on behalf of the viewer."""
        with self.sources.open_store() as store:
            return use(store)

    def _from_ledger(self, use: Callable[[Store], T]) -> T:
        try:
            return self.unchecked(use)
        except UserError as error:
            raise LedgerAwayError(str(error)) from None

    def share(self, key: Any, compute: Callable[[], T]) -> T:
        """An answer that all viewers share who may see the same."""
        return self._answers.get((self._viewer.audience, key), compute)

    def share_page(self, key: Any, render: Callable[[], T]) -> T:
        """A page that all its viewers share. What it is made of is shared on its own."""
        return self._made_pages.get((self._viewer.audience, key), render, PAGE_S, Burden.NOBODY)


def _audit_key(scope: Scope, what_ifs: tuple[str, ...]) -> tuple[object, ...]:
    return _rounded(scope.since), _rounded(scope.until), scope.zone, what_ifs


def _rounded(at: datetime) -> datetime:
    """To the hour: `7d` means another moment with every request, and the same audit all the same."""
    return at.replace(minute=0, second=0, microsecond=0)


def _frozen(value: Any) -> Any:
    if isinstance(value, Mapping):
        return tuple(sorted((name, _frozen(one)) for name, one in value.items()))
    return value
