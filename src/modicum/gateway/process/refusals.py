"""What this process refused, by owner: counted in memory, and reported to the ledger process by who watches."""

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from modicum.calls import Owner
from modicum.calls.call import NOBODY
from modicum.gateway.failures import Failed, contain_stage
from modicum.governance.owner_labels import OwnerLabels
from modicum.ledger.worker_reports import RefusalCount, WorkerReport, write_report

HEARTBEAT_S = 5.0
"""How old a report may become while nothing changes."""


class Refusals:
    """Used from the event loop. Owners beyond the bound are counted as one.

    Args:
        count_kind: counts each by its kind alone, for those who may see no owners.
        most_owners: how many owners are told apart.
        former: what a former process of this worker had reported.
    """

    def __init__(
        self,
        count_kind: Callable[[str], None] = lambda _kind: None,
        most_owners: int = 200,
        former: WorkerReport | None = None,
    ) -> None:
        self._count_kind = count_kind
        self._labels = OwnerLabels(most_owners)
        self._counts: dict[tuple[str, str, str, str], int] = {}
        for one in former.refusals if former is not None else ():
            self._add(Owner(team=one.team, app=one.app, key=one.key), one.kind, one.count)
        self._last: WorkerReport | None = None

    def add(self, kind: str, owner: Owner = NOBODY) -> None:
        """Counts one. `kind` is one of our own words."""
        self._count_kind(kind)
        self._add(owner, kind, 1)

    def _add(self, owner: Owner, kind: str, count: int) -> None:
        place = *self._labels.label(owner), kind
        self._counts[place] = self._counts.get(place, 0) + count

    def report(self, now: datetime, open_circuits: Iterable[str], trouble: str, every_s: float) -> WorkerReport | None:
        """What is to be written now; None: nothing has changed since the last one, and that is not `every_s` old."""
        report = WorkerReport(
            at=now,
            refusals=[
                RefusalCount(team=team, app=app, key=key, kind=kind, count=count)
                for (team, app, key, kind), count in self._counts.items()
            ],
            open_circuits=sorted(open_circuits),
            trouble=trouble,
        )
        last = self._last
        is_same = last is not None and (last.refusals, last.open_circuits, last.trouble) == (
            report.refusals,
            report.open_circuits,
            report.trouble,
        )
        if is_same and last is not None and (now - last.at).total_seconds() < every_s:
            return None
        self._last = report
        return report


def report_end(refusals: Refusals, folder: Path, worker: str) -> None:
    """Writes that the process was told to end, with its last sums."""
    report = refusals.report(datetime.now(UTC), (), "", 0.0)
    if report is not None:
        with suppress(OSError):
            write_report(folder, worker, msgspec.structs.replace(report, ended=True))


async def report_worker(
    refusals: Refusals, folder: Path, worker: str, open_circuits: Iterable[str], trouble: str, failed: Failed
) -> None:
    """Writes what is to be reported, if anything is, in a thread: calls never wait for it."""
    report = refusals.report(datetime.now(UTC), open_circuits, trouble, HEARTBEAT_S)
    if report is not None:
        with contain_stage("report", failed):
            await asyncio.to_thread(write_report, folder, worker, report)
