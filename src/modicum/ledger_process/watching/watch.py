"""What the ledger process watches: owners' figures, budgets, workers. Asked by `/metrics` and by who alerts."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.registry import Collector

from modicum.calls import Entry
from modicum.governance.alerts import Situation
from modicum.ledger import positions
from modicum.ledger.journal import SHIPPED
from modicum.ledger.store import Store
from modicum.ledger.worker_reports import FOLDER, WorkerReport, read_reports
from modicum.ledger_process.ledger_thread import LedgerThread
from modicum.ledger_process.watching.alerting import (
    LedgerLag,
    RefusalWindow,
    UnknownFields,
    UnpricedModels,
    budget_state,
    worker_states,
)
from modicum.ledger_process.watching.budget_watch import BudgetWatch
from modicum.ledger_process.watching.cascade_watch import CascadeWatch
from modicum.ledger_process.watching.live_settings import LiveSettings
from modicum.ledger_process.watching.loop_watch import LoopWatch
from modicum.ledger_process.watching.outcome_watch import OutcomeWatch
from modicum.ledger_process.watching.owner_metrics import OwnerMetrics
from modicum.ledger_process.watching.spend_watch import SpendWatch
from modicum.ledger_process.watching.standing_metrics import BudgetMetrics, LedgerMetrics, WorkerMetrics
from modicum.ledger_process.watching.yield_watch import YieldWatch
from modicum.settings import budgets_of, outcome_budgets_of
from modicum.settings.governance.alerts import parse_watched


class LedgerWatch:
    """Fed by the ledger's thread (`observe`), read by the server's.

    Args:
        folder: of the gateway's state.
    """

    def __init__(self, folder: Path, settings: LiveSettings, ledger: LedgerThread) -> None:
        most_owners = settings.current.metrics.most_owners
        self.settings = settings
        self.owners = OwnerMetrics(most_owners)
        self.budgets = BudgetWatch(folder / "journal")
        self.outcomes = OutcomeWatch()
        self.spend, self.loops, self.yields = SpendWatch(), LoopWatch(), YieldWatch()
        self.ledger = ledger
        self._cascades = CascadeWatch(ledger.log)
        self._folder = folder
        self._unpriced, self._refusals, self._lag = UnpricedModels(), RefusalWindow(), LedgerLag()
        self._unknown_fields = UnknownFields()
        self._of_all, self._of_owners = CollectorRegistry(), CollectorRegistry()
        self._of_all.register(
            LedgerMetrics(lambda: bool(ledger.reason), lambda: self._progress().behind, self._count_troubled)
        )
        self._of_owners.register(self.owners)
        self._of_owners.register(BudgetMetrics(lambda: self.budgets.rows, most_owners))
        self._of_owners.register(WorkerMetrics(self.read_reports, most_owners))

    def observe(self, store: Store, entries: Sequence[Entry]) -> None:
        """Takes in what was just booked, and asks how budgets stand, if it is time."""
        self.owners.add(entries)
        self._unpriced.add(entries)
        self._unknown_fields.add(entries)
        self.settings.refresh()
        settings = self.settings.current
        self.budgets.refresh(store, budgets_of(settings.budget, settings.timezone, settings.energy))
        self.outcomes.check(store, outcome_budgets_of(settings.outcome, settings.timezone))
        self._cascades.check(store, self.ledger.events, settings.cascades)
        alerts, zone = settings.alerts, settings.timezone
        dimensions, named = parse_watched(alerts.by), [one.name for one in settings.outcome]
        self.spend.check(store, dimensions, alerts.anomaly_floor_usd, zone)
        self.loops.check(store, dimensions, alerts.loop_repeats)
        self.yields.check(store, dimensions, named, alerts.yield_fall, alerts.anomaly_floor_usd, zone)

    def read_reports(self) -> dict[str, WorkerReport]:
        """What workers report."""
        return read_reports(self._folder / FOLDER)

    def situation(self, now: datetime) -> Situation:
        """How things stand, for who decides on alerts."""
        reports, progress = self.read_reports(), self._progress()
        return Situation(
            now,
            [budget_state(row, now) for row in self.budgets.rows],
            self._refusals.lately(now, reports),
            self._unpriced.lately(),
            worker_states(reports),
            self.ledger.reason,
            self._lag.seconds(progress.records, progress.behind),
            self.outcomes.above,
            self.spend.unusual,
            self._unknown_fields.lately(),
            self.loops.loops,
            self.yields.fallen,
        )

    def show(self, metrics: Collector) -> None:
        """Shows more to everybody."""
        self._of_all.register(metrics)

    def _progress(self) -> positions.ReaderProgress:
        return positions.progress(self._folder / "journal", SHIPPED)

    def text(self, *, with_owners: bool) -> str:
        """As Prometheus reads it."""
        text = generate_latest(self._of_all)
        return (text + generate_latest(self._of_owners) if with_owners else text).decode()

    def _count_troubled(self) -> int:
        return sum(bool(report.trouble) for report in self.read_reports().values())
