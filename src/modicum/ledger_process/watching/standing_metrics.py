"""How things stand, as gauges of Prometheus: budgets, refusals of all workers, and how far the ledger is behind."""

from collections.abc import Callable, Iterator, Mapping, Sequence

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric

from modicum.calls import Owner
from modicum.governance.budgets import EACH
from modicum.governance.owner_labels import OwnerLabel, OwnerLabels
from modicum.insights.budgets.spend import EACH_FIELDS
from modicum.insights.budgets.standing import BudgetRow
from modicum.ledger.worker_reports import WorkerReport
from modicum.ledger_process.watching.owner_metrics import OWNER

_BUDGET = ("budget", "unit", *OWNER)


class BudgetMetrics:
    """Budgets by team, app and key. Of one for each user, task or tag, the sum with the least left is shown.

    Args:
        rows: gives them as they stand.
        most_owners: how many owners have labels of their own, in each budget.
    """

    def __init__(self, rows: Callable[[], Sequence[BudgetRow]], most_owners: int) -> None:
        self._rows, self._most_owners = rows, most_owners

    def collect(self) -> Iterator[Metric]:
        """As the Prometheus library asks for it."""
        limit, spent, reserved, left, reached, anew = (
            GaugeMetricFamily(f"modicum_budget_{name}", text, labels=_BUDGET)
            for name, text in (
                (
                    "limit",
                    "What calls may cost in the window, in the unit: usd, effective_tokens, calls, joules.",
                ),
                ("spent", "What they have cost."),
                ("reserved", "What calls under way may cost at most."),
                ("left", "What is left."),
                ("limit_reached_timestamp_seconds", "When the limit is reached at the pace so far, if it is."),
                ("begins_anew_timestamp_seconds", "When the budget begins anew, if it does."),
            )
        )
        for labels, row in self._shown():
            scale = row.budget.unit.scale
            limit.add_metric(labels, row.budget.limit / scale)
            spent.add_metric(labels, row.spent / scale)
            reserved.add_metric(labels, row.reserved / scale)
            left.add_metric(labels, row.left / scale)
            if row.crossed_at is not None:
                reached.add_metric(labels, row.crossed_at.timestamp())
            if row.resets is not None:
                anew.add_metric(labels, row.resets.timestamp())
        yield from (limit, spent, reserved, left, reached, anew)

    def _shown(self) -> Iterator[tuple[tuple[str, ...], BudgetRow]]:
        """Labels and sums: of those with the same labels the one with the least left."""
        owners: dict[str, OwnerLabels] = {}
        labels: set[tuple[str, ...]] = set()
        for row in sorted(self._rows(), key=lambda one: one.left_share):
            of_budget = owners.setdefault(row.budget.name, OwnerLabels(self._most_owners, self._most_owners))
            place = row.budget.name, row.budget.unit.value, *of_budget.label(_owner_of(row))
            if place not in labels:
                labels.add(place)
                yield place, row


def _owner_of(row: BudgetRow) -> Owner:
    """Whose sum it is, as far as that is a team, an app or a key."""
    budget, names = row.budget, iter(row.instance)
    every = {
        field: next(names, "") if getattr(budget, field) == EACH else getattr(budget, field) for field in EACH_FIELDS
    }
    return Owner(team=every["team"], app=every["app"], key=every["key"])


class WorkerMetrics:
    """What workers report: their sums, by owner.

    Args:
        reports: gives the newest ones.
        most_owners: how many owners have labels of their own.
    """

    def __init__(self, reports: Callable[[], Mapping[str, WorkerReport]], most_owners: int) -> None:
        self._reports, self._labels = reports, OwnerLabels(most_owners)

    def collect(self) -> Iterator[Metric]:
        """As the Prometheus library asks for it."""
        counts: dict[tuple[OwnerLabel, str], int] = {}
        for report in self._reports().values():
            for one in report.refusals:
                place = self._labels.label(Owner(team=one.team, app=one.app, key=one.key)), one.kind
                counts[place] = counts.get(place, 0) + one.count
        text = "Requests that went no further, by who asked."
        family = CounterMetricFamily("modicum_owner_refusals", text, labels=(*OWNER, "kind"))
        for (label, kind), count in counts.items():
            family.add_metric((*label, kind), count)
        yield family


class LedgerMetrics:
    """How far the ledger is behind. Names nobody.

    Args:
        is_away: whether the ledger cannot be reached.
        unshipped: how many records of journals it does not have.
        troubled: how many workers have trouble.
    """

    def __init__(self, is_away: Callable[[], bool], unshipped: Callable[[], int], troubled: Callable[[], int]) -> None:
        self._is_away, self._unshipped, self._troubled = is_away, unshipped, troubled

    def collect(self) -> Iterator[Metric]:
        """As the Prometheus library asks for it."""
        for name, text, value in (
            ("modicum_ledger_away", "1: the ledger cannot be reached; journals keep what comes.", self._is_away()),
            ("modicum_journal_records_unshipped", "Records of journals that it does not have.", self._unshipped()),
            ("modicum_gateway_workers_troubled", "Gateway processes that report trouble.", self._troubled()),
        ):
            yield GaugeMetricFamily(name, text, float(value))
