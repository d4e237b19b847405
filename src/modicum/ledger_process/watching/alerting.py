"""Looks at how things stand every two seconds, and tells what is an event: in the log, and to the webhook."""

import asyncio
from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from time import monotonic

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric

from modicum.calls import CallStatus, Entry, UserError
from modicum.calls.containment import contain, failure_place
from modicum.governance.alerts import (
    REFUSALS_WITHIN,
    Alert,
    AlertKind,
    BudgetState,
    Raised,
    RefusedLately,
    Situation,
    WorkerState,
    alert_of_test,
    conditions,
    new_alerts,
)
from modicum.governance.budget_windows import LONG_AGO, Period
from modicum.insights.budgets.standing import BudgetRow
from modicum.ledger.worker_reports import WorkerReport
from modicum.ledger_process.watching.alert_log import AlertLog
from modicum.settings import alert_rules_of
from modicum.settings.governance.alerts import AlertSettings

EVERY_S = 2.0
UNPRICED_FOR_S = 3600.0
MOST_UNPRICED = 200
"""Models without a price that are remembered."""

_Owner = tuple[str, str, str, str]


class _LatelyBooked:
    """Pairs of names in calls that were booked within the last hour."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._seen: OrderedDict[tuple[str, str], float] = OrderedDict()

    def _record(self, pair: tuple[str, str]) -> None:
        self._seen[pair] = self._clock()
        self._seen.move_to_end(pair)
        if len(self._seen) > MOST_UNPRICED:
            self._seen.popitem(last=False)

    def lately(self) -> list[tuple[str, str]]:
        """Those of the last hour."""
        since_s = self._clock() - UNPRICED_FOR_S
        return [place for place, seen_s in list(self._seen.items()) if seen_s >= since_s]


class UnpricedModels(_LatelyBooked):
    """Models whose calls were booked without a price, of the last hour."""

    def add(self, entries: Iterable[Entry]) -> None:
        """Takes in entries. What failed, or has no count, is no question of its price."""
        for entry in entries:
            call = entry.call
            if entry.cost.usd is None and call.status is CallStatus.OK and call.usage.total_tokens:
                self._record((call.provider, call.model))


class UnknownFields(_LatelyBooked):
    """What was not understood of calls that were booked within the last hour, by provider."""

    def add(self, entries: Iterable[Entry]) -> None:
        """Takes in entries."""
        for entry in entries:
            for caveat in entry.call.charges.caveats:
                self._record((entry.call.provider, caveat))


class RefusalWindow:
    """How many requests of each owner were refused within five minutes, from sums that only grow."""

    def __init__(self) -> None:
        self._sums: deque[tuple[datetime, Counter[_Owner]]] = deque()

    def lately(self, now: datetime, reports: Mapping[str, WorkerReport]) -> list[RefusedLately]:
        """Takes in the sums of now."""
        sums: Counter[_Owner] = Counter()
        for report in reports.values():
            for one in report.refusals:
                sums[one.team, one.app, one.key, one.kind] += one.count
        self._sums.append((now, sums))
        while len(self._sums) > 1 and now - self._sums[1][0] >= REFUSALS_WITHIN:
            self._sums.popleft()
        _, before = self._sums[0]
        return [RefusedLately(*owner, count - before[owner]) for owner, count in sums.items() if count > before[owner]]


class LedgerLag:
    """For how long the oldest record that the ledger does not have has been waiting."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._marks: deque[tuple[float, int]] = deque()
        """When there were so many records in all."""

    def seconds(self, total: int, unshipped: int) -> float:
        """Takes in how many records there are and how many of them wait."""
        now_s, shipped = self._clock(), total - unshipped
        if self._marks and total < self._marks[-1][1]:
            self._marks.clear()  # a journal has gone, or was set back
        if not self._marks or total > self._marks[-1][1]:
            self._marks.append((now_s, total))
        while self._marks and self._marks[0][1] <= shipped:
            self._marks.popleft()
        return now_s - self._marks[0][0] if self._marks and unshipped else 0.0


class Alerting:
    """Used from the ledger process's event loop; what waits for a disk runs in a thread.

    Args:
        log: where alerts are kept.
        settings: gives `[alerts]` as it is now.
        situation: gives how things stand at a moment.
        write: writes an alert into the process's log.
        report: takes a line when alerts cannot be kept.
        has_webhook: whether they are to be posted.
    """

    def __init__(
        self,
        log: AlertLog,
        settings: Callable[[], AlertSettings],
        situation: Callable[[datetime], Situation],
        write: Callable[[Alert], None],
        report: Callable[[str], None],
        *,
        has_webhook: bool,
    ) -> None:
        self._log, self._settings, self._situation = log, settings, situation
        self._write, self._report, self._has_webhook = write, report, has_webhook
        self._raised: dict[str, Raised] | None = None
        self._trouble = ""
        self._counts: Counter[AlertKind] = Counter()
        self.dropped = self.failures = 0

    async def run(self) -> None:
        """Looks until it is cancelled."""
        while True:
            with contain() as work:
                await asyncio.to_thread(self.look_once, datetime.now(UTC))
            if (error := work.error) is not None:
                known = isinstance(error, UserError)
                self._tell(str(error) if known else f"alerts: {type(error).__name__} at {failure_place(error)}")
            else:
                self._tell("")
            await asyncio.sleep(EVERY_S)

    def look_once(self, now: datetime) -> Sequence[Alert]:
        """Tells what is new now."""
        rules = alert_rules_of(self._settings())
        if self._raised is None:
            self._raised = self._log.read_raised()
        alerts, raised = new_alerts(conditions(self._situation(now), rules), self._raised, now, rules.again_after)
        if raised != self._raised:
            self.dropped += self._log.record(alerts, raised, has_webhook=self._has_webhook)
            self._raised = raised
        for alert in alerts:
            self._counts[alert.kind] += 1
            self._write(alert)
        return alerts

    def raise_test(self) -> None:
        """Tells a test alert in the log and in the metrics; it is posted by whoever asks for it."""
        self._counts[AlertKind.TEST] += 1
        self._write(alert_of_test(datetime.now(UTC)))

    def count_dropped(self, count: int) -> None:
        self.dropped += count

    def count_failure(self) -> None:
        self.failures += 1

    def collect(self) -> Iterable[Metric]:
        """As the Prometheus library asks for it."""
        raised = CounterMetricFamily("modicum_alerts", "Alerts that were told, by kind.", labels=("kind",))
        for kind in AlertKind:
            raised.add_metric((kind.value,), self._counts[kind])
        yield raised
        yield CounterMetricFamily("modicum_alerts_dropped", "Alerts that were not posted and given up.", self.dropped)
        yield CounterMetricFamily("modicum_alert_post_failures", "Tries to post an alert that failed.", self.failures)
        with contain() as work:
            waiting = self._log.count_waiting()
        if work.error is None:
            yield GaugeMetricFamily("modicum_alerts_waiting", "Alerts that wait to be posted.", waiting)

    def _tell(self, trouble: str) -> None:
        if trouble and trouble != self._trouble:
            self._report(trouble)
        self._trouble = trouble


def budget_state(row: BudgetRow, now: datetime) -> BudgetState:
    """A budget's sum, as alerts look at it."""
    budget = row.budget
    slides = budget.window.period is Period.SLIDING
    begins = LONG_AGO if slides else budget.window.span_at(now).start
    return BudgetState(
        budget.name, row.instance, budget.unit, budget.limit, row.spent, begins, row.resets, row.crossed_at
    )


def worker_states(reports: Mapping[str, WorkerReport]) -> list[WorkerState]:
    """Gateway processes, as alerts look at them; those that were told to end are missed by nobody."""
    return [
        WorkerState(name, report.at, report.trouble, tuple(report.open_circuits))
        for name, report in reports.items()
        if not report.ended
    ]


def alert_line(alert: Alert) -> dict[str, str | int | float]:
    """An alert as a line of the log."""
    return {"kind": alert.kind.value, "text": alert.text, **alert.facts}
