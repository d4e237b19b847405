"""Spend, tokens and calls by owner, as counters of Prometheus: of what is booked while this process runs.

They are counted where calls are booked, so that they are the bill's figures, whichever worker a call went through, and
cost the gateway nothing. A call that is booked again, grown, counts with the difference. A counter never goes back:
where a later figure is smaller, it stands still until others have made up for that.
"""

from collections import OrderedDict
from collections.abc import Iterable, Iterator
from decimal import Decimal
from threading import Lock
from typing import NamedTuple

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric

from modicum.calls import BUCKETS, FAILED_ATTEMPT, Entry
from modicum.governance.owner_labels import OwnerLabel, OwnerLabels

MOST_REMEMBERED = 50_000
"""Calls that may be booked again, grown."""
OWNER = ("team", "app", "key")

_FAMILIES = {
    "modicum_spend_usd": ("Dollars of calls that were booked, by how they are known.", (*OWNER, "basis")),
    "modicum_owner_calls": ("Calls that were booked.", (*OWNER, "status")),
    "modicum_owner_calls_unpriced": ("Calls that were booked and whose cost nobody knows.", OWNER),
    "modicum_owner_tokens": (
        "Tokens of calls that were booked, by bucket; buckets do not overlap.",
        (*OWNER, "bucket"),
    ),
}

Series = tuple[str, ...]
"""The name of a family and the values of its labels."""


class _Counted(NamedTuple):
    revision: int
    amounts: tuple[tuple[Series, Decimal | int], ...]


class OwnerMetrics:
    """Filled by the ledger's thread and read by that of the server.

    Args:
        most_owners: how many owners have labels of their own.
    """

    def __init__(self, most_owners: int) -> None:
        self.labels = OwnerLabels(most_owners)
        self._counted: OrderedDict[str, _Counted] = OrderedDict()
        self._sums: dict[Series, Decimal | int] = {}
        self._shown: dict[Series, float] = {}
        self._lock = Lock()

    def add(self, entries: Iterable[Entry]) -> None:
        """Counts entries; of one that was counted before, what has been added to it since."""
        with self._lock:
            for entry in entries:
                self._add(entry)

    def _add(self, entry: Entry) -> None:
        call = entry.call
        former = self._counted.get(call.call_id)
        if former is not None:
            if call.revision < former.revision:
                return
            for series, amount in former.amounts:
                self._sums[series] -= amount
        counted = _Counted(call.revision, tuple(_amounts(entry, self.labels.label(call.owner))))
        for series, amount in counted.amounts:
            self._sums[series] = self._sums.get(series, 0) + amount
        self._counted[call.call_id] = counted
        if len(self._counted) > MOST_REMEMBERED:
            self._counted.popitem(last=False)

    def collect(self) -> Iterator[Metric]:
        """As the Prometheus library asks for it."""
        with self._lock:
            for series, amount in self._sums.items():
                self._shown[series] = max(self._shown.get(series, 0.0), float(amount))
            shown, owners = list(self._shown.items()), len(self.labels)
        families = {name: CounterMetricFamily(name, text, labels=labels) for name, (text, labels) in _FAMILIES.items()}
        for (name, *labels), value in shown:
            families[name].add_metric(labels, value)
        yield from families.values()
        yield GaugeMetricFamily("modicum_owners", "Owners with labels of their own.", owners)
        yield GaugeMetricFamily("modicum_owners_limit", "How many may have; the rest is 'other'.", self.labels.most)


def _amounts(entry: Entry, label: OwnerLabel) -> Iterator[tuple[Series, Decimal | int]]:
    """What an entry adds to which counter."""
    call, cost = entry.call, entry.cost
    is_call = FAILED_ATTEMPT not in call.tags and call.calls_count > 0
    if is_call:
        yield ("modicum_owner_calls", *label, call.status.value), call.calls_count
    if cost.usd is not None:
        yield ("modicum_spend_usd", *label, cost.basis.value), cost.usd
    elif is_call:
        yield ("modicum_owner_calls_unpriced", *label), call.calls_count
    for bucket in BUCKETS:
        if tokens := getattr(call.usage, bucket):
            yield ("modicum_owner_tokens", *label, bucket), tokens
