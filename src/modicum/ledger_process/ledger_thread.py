"""The one thread that holds the ledger: everything that touches it runs there, in turn."""

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from modicum.calls import Entry, Problem, UserError
from modicum.calls.containment import contain
from modicum.experiments.decisions import EVENT_KIND as EXPERIMENT
from modicum.experiments.decisions import ExperimentEvent, audit_experiments
from modicum.experiments.grader import Grader
from modicum.experiments.trials.trial_log import EVENT_KIND as TRIAL
from modicum.experiments.trials.trial_log import TrialEvent, audit_trials
from modicum.governance.access.tokens import EVENT_KIND as TOKEN
from modicum.governance.access.tokens import TokenEvent, audit_tokens
from modicum.governance.access.users import EVENT_KIND as USER
from modicum.governance.access.users import UserEvent, audit_users
from modicum.governance.budget_raises import EVENT_KIND as BUDGET
from modicum.governance.budget_raises import RaiseEvent, audit_raises
from modicum.governance.keys import KeyEvent, audit
from modicum.governance.policy_log import EVENT_KIND as POLICY
from modicum.governance.policy_log import PolicyEvent, audit_policy
from modicum.governance.settings_log import EVENT_KIND as SETTINGS
from modicum.governance.settings_log import SettingsEvent, audit_settings
from modicum.ledger.events import EventFile
from modicum.ledger.on_disk import explain_replaced_file, file_at
from modicum.ledger.opening import open_store
from modicum.ledger.otlp.spans import SpanShipper
from modicum.ledger.records import AUDIT_EVENTS
from modicum.ledger.shipper import Shipped, Shipper
from modicum.ledger.store import Store
from modicum.ledger_process.live import LiveWindow
from modicum.metering.prices import PriceBook

T = TypeVar("T")

SHIP_EVERY_S = 0.25
LONGEST_REST_S = 2.0
"""While calls keep coming. A round takes 15 ms of the processor whatever it holds: at 200 calls a second, a call takes
three times as much with four rounds a second as with one in two seconds."""
AWAY_S = 1.0


class LedgerThread:
    """Opens the ledger when it can, ships journals into it, and lends it out.

    Args:
        journals: the folder where gateways keep their journals.
        events: the file of what was decided, which becomes the audit log.
        log: takes a line on what went wrong and on its end, without content.
    """

    def __init__(self, place: str, journals: Path, events: Path, prices: PriceBook, log: Callable[[str], None]) -> None:
        self.live = LiveWindow()
        self.problems: list[Problem] = []
        self.spans_booked = self.spans_repeated = 0
        """Calls of spans that came over OTLP: booked; counted already in another span or by the gateway."""
        self.reason = "not opened yet"
        """Why the ledger is away; empty while it is there."""
        self.observe: Callable[[Store, Sequence[Entry]], None] | None = None
        """Is handed what was just booked, after each round, with the ledger."""
        self.sum_days: Callable[[Store], object] | None = None
        """Sums days that have ended, a few after each round."""
        self._place, self._journals, self._prices, self.log = place, journals, prices, log
        self._thread = ThreadPoolExecutor(1, "ledger")
        self.events = EventFile(events)
        """What was decided; used by the ledger's thread alone."""
        self._events_trouble = self._grader_trouble = self._observer_trouble = self._sums_trouble = ""
        self._grader = Grader(self.events, log)
        self._booked_event = -1
        self._busy_rounds = 0
        """Rounds in a row that have shipped something."""
        self._store: Store | None = None
        self._file = 0, 0
        self._shipper: Shipper | None = None
        self._spans: SpanShipper | None = None

    async def run(self) -> None:
        """Ships until it is cancelled. A ledger that is away is looked for again; journals keep what comes."""
        loop = asyncio.get_running_loop()
        while True:
            more = await loop.run_in_executor(self._thread, self._round)
            if not more:
                await asyncio.sleep(rest_s(self._busy_rounds) if not self.reason else AWAY_S)

    async def lend(self, use: Callable[[Store], T]) -> T:
        """Runs something with the ledger.

        Raises:
            UserError: the ledger is away.
        """
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._lend, use)

    async def run_without_ledger(self, work: Callable[[], T]) -> T:
        """Runs something in the ledger's thread that needs journals and prices, and no ledger."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    async def close(self) -> None:
        """Ships what there is, and gives the ledger back."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._finish)
        self._thread.shutdown()

    def _lend(self, use: Callable[[Store], T]) -> T:
        store = self._opened()
        # Engines raise what they like, and somebody waits for an answer; what was asked wrongly says so itself.
        with contain(but=(UserError, KeyError, ValueError)) as answering:
            return use(store)
        assert answering.error is not None  # noqa: S101 - else it has returned
        reason = _describe(answering.error)
        self.log(f"a question to the ledger failed: {reason}")
        raise UserError(f"the ledger {self._place} cannot answer ({reason}); see 'modicum doctor'")

    def _opened(self) -> Store:
        """The ledger, which answers whatever is the matter with the journals.

        Raises:
            UserError: it is away, or its file has gone.
        """
        if self._store is None:
            self._store = open_store(self._place)
            self._file = file_at(Path(self._place).expanduser())
        elif self._file != file_at(Path(self._place).expanduser()):
            raise UserError(explain_replaced_file("the ledger", Path(self._place).expanduser()))
        return self._store

    def _check_journals(self) -> None:
        if not self._journals.is_dir():
            raise UserError(
                f"the folder of journals {self._journals} was deleted or moved: bring it back, or restart 'modicum "
                "up', which begins new ones"
            )

    def _round(self, *, last: bool = False) -> bool:
        """One round of shipping; says whether there is more. A ledger may fail in any way: the journal has it all."""
        moved = None
        with contain(self._note_away):
            self._opened()
            self._check_journals()
            self._book_events()
            moved = self._shipped(last=last)
        if moved is None:
            return False
        self._busy_rounds = self._busy_rounds + 1 if moved.entries else 0
        if not last:
            self._grade_experiments()
            self._sum_days()
        if self.reason:
            self.reason = ""
            self.log("the ledger is there")
        self.live.add(moved.entries)
        self._hand_to_observer(moved.entries)
        for problem in moved.problems:
            self.log(str(problem))
        self.problems += moved.problems[: 100 - len(self.problems)]
        self._prices.save()
        return moved.more

    def _note_away(self, error: Exception) -> None:
        reason = str(error).splitlines()[0] if isinstance(error, UserError) else _describe(error)
        if reason != self.reason:
            self.log(f"the ledger is away: {reason}")
        self.reason = reason
        self._drop(keep_store=isinstance(error, UserError))

    def _shipped(self, *, last: bool) -> Shipped:
        """What journals hold of calls, then of spans. `last`: spans do not wait for what stands around them."""
        store = self._opened()
        if self._shipper is None or self._spans is None:
            spans = self._journals.parent / "spans"
            self._shipper = Shipper(self._journals, store, self._prices)
            self._spans = SpanShipper(spans, self._journals, store, self._prices)
        moved = self._shipper.ship()
        self._spans.note_booked(moved.entries)
        shipped = self._spans.ship(all_of_it=last)
        self.spans_booked += len(shipped.entries)
        self.spans_repeated += shipped.repeated
        moved.entries += shipped.entries
        moved.problems += shipped.problems
        moved.more |= shipped.more
        return moved

    def _book_events(self) -> None:
        """All of them: they are few, and the ledger knows by their ids which it has."""
        try:
            last = self.events.last()
        except sqlite3.Error as error:  # calls go into the ledger all the same
            self._tell_of_events(f"the file of keys {self.events.path} cannot be read: {error}")
            return
        self._tell_of_events(self.events.gone)
        if last == self._booked_event:
            return
        try:
            decided = audit(self.events.read("key", KeyEvent))
            decided += audit_raises(self.events.read(BUDGET, RaiseEvent))
            decided += audit_experiments(self.events.read(EXPERIMENT, ExperimentEvent))
            decided += audit_policy(self.events.read(POLICY, PolicyEvent))
            decided += audit_trials(self.events.read(TRIAL, TrialEvent))
            decided += audit_settings(self.events.read(SETTINGS, SettingsEvent))
            decided += audit_users(self.events.read(USER, UserEvent))
            decided += audit_tokens(self.events.read(TOKEN, TokenEvent))
        except UserError as error:  # an event of a newer version must not keep calls out of the ledger
            self.log(str(error))
        else:
            self._opened().append_records(AUDIT_EVENTS, decided)
        self._booked_event = last

    def _grade_experiments(self) -> None:
        """A failure costs the grade and nothing else; it is logged once."""
        trouble = ""
        with contain() as grading:
            self._grader.grade_running(self._opened())
        if grading.error is not None:
            error = grading.error
            trouble = f"experiments cannot be graded: {error if isinstance(error, UserError) else _describe(error)}"
        if trouble and trouble != self._grader_trouble:
            self.log(trouble)
        self._grader_trouble = trouble

    def _sum_days(self) -> None:
        """A failure costs time of those who ask, since entries are read then; it is logged once."""
        if self.sum_days is None:
            return
        with contain() as summing:
            self.sum_days(self._opened())
        error = summing.error
        trouble = f"days are not summed: {error if isinstance(error, UserError) else _describe(error)}" if error else ""
        if trouble and trouble != self._sums_trouble:
            self.log(trouble)
        self._sums_trouble = trouble

    def _hand_to_observer(self, entries: Sequence[Entry]) -> None:
        """A failure costs its figures and nothing else; it is logged once."""
        if self.observe is None:
            return
        with contain() as observing:
            self.observe(self._opened(), entries)
        trouble = (
            f"figures of owners are not brought up to date: {_describe(observing.error)}" if observing.error else ""
        )
        if trouble and trouble != self._observer_trouble:
            self.log(trouble)
        self._observer_trouble = trouble

    def _tell_of_events(self, trouble: str) -> None:
        if trouble and trouble != self._events_trouble:
            self.log(trouble)
        self._events_trouble = trouble

    def _drop(self, *, keep_store: bool = False) -> None:
        """`keep_store`: the ledger's own file may be gone, and what is in it may still be wanted."""
        if self._spans is not None:
            self._spans.close()
        if self._shipper is not None:
            self._shipper.close()
        self._shipper = self._spans = None
        if self._store is not None and not keep_store:
            with contain():  # it is broken already
                self._store.close()
            self._store = None

    def _finish(self) -> None:
        while self._round(last=True):
            pass
        self._drop()
        self.events.close()


def rest_s(busy_rounds: int) -> float:
    """How long to wait after so many rounds in a row that had something to ship: what comes now and then is shipped at
    once, what comes all the time in large rounds.
    """
    return min(LONGEST_REST_S, SHIP_EVERY_S * (1 << min(max(0, busy_rounds - 1), 10)))


def _describe(error: Exception) -> str:
    """Kind and, where the disk is at fault, what it says; other messages may quote what is in the ledger."""
    name = type(error).__name__
    is_ours_to_quote = isinstance(error, (OSError, sqlite3.Error)) or name in {
        "IOException",
        "FatalException",
        "TransactionException",
    }
    lines = str(error).splitlines() if is_ours_to_quote else []
    return f"{name}: {lines[0]}" if lines else name
