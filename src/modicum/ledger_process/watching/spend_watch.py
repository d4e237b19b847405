"""Which owners spend or cache as they usually do not, asked of the ledger every ten minutes: of today so far, and of
yesterday, of which some calls come late.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

from modicum.governance.alerts import AlertKind, UnusualDay, WatchedOwner
from modicum.ledger.store import Store
from modicum.ledger_process.watching.question_timer import QuestionTimer
from modicum.ledger_process.watching.watched_owners import Dimensions, watched_owner
from modicum.reports.forecast.anomalies import MOST_DAYS, find_anomaly
from modicum.reports.forecast.cold_caches import find_cold_cache
from modicum.reports.forecast.daily_series import DailySeries, read_daily_series
from modicum.settings import checked_zone

EVERY_S = 600.0
MOST_OWNERS = 200
"""Of which is told at once; with more there is another trouble."""


class SpendWatch:
    """Filled by the ledger's thread; `unusual` may be read by others."""

    def __init__(self) -> None:
        self.unusual: Sequence[UnusualDay] = ()
        self._timer = QuestionTimer()

    def check(self, store: Store, dimensions: Dimensions, floor_usd: float, zone: str) -> None:
        """Looks at the ledger, if it is time again. `floor_usd`: 0 for not at all; `zone`: empty for UTC."""
        if not floor_usd:
            self.unusual = ()
            return
        if not self._timer.is_due(EVERY_S):
            return
        own_zone = checked_zone(zone or "UTC")
        today = datetime.now(UTC).astimezone(own_zone).date()
        self.unusual = find_unusual(store, dimensions, floor_usd, today, own_zone.key)


def find_unusual(store: Store, dimensions: Dimensions, floor_usd: float, today: date, zone: str) -> list[UnusualDay]:
    """Days of owners that were out of the ordinary: of today and yesterday. Of today, which is not over, only more
    spend than of a whole day is.
    """
    since = datetime(today.year, today.month, today.day, tzinfo=UTC) - timedelta(days=MOST_DAYS + 3)
    asked_until = since + timedelta(days=MOST_DAYS + 6)
    by, tag = [one for one, _ in dimensions], [one for _, one in dimensions]
    rows = store.ask("spend_by_day", by=by, tag=tag, zone=zone, since=since, until=asked_until, where={})
    found: list[UnusualDay] = []
    for name, series in read_daily_series(rows, today).items():
        found += _unusual_of(watched_owner(dimensions, name), series, floor_usd, today)
    return sorted(found, key=lambda one: one.usual - one.figure)[:MOST_OWNERS]


def _unusual_of(owner: WatchedOwner, series: DailySeries, floor_usd: float, today: date) -> list[UnusualDay]:
    found = []
    for day, end in ((today, len(series.usd)), (today - timedelta(days=1), len(series.usd) - 1)):
        if (much := find_anomaly(series.usd[:end], floor_usd)) is not None:
            found.append(UnusualDay(AlertKind.SPEND_ANOMALY, owner, day, much.usd, much.expected_usd))
    end = len(series.usd) - 1
    if (cold := find_cold_cache(series.prompt_tokens[:end], series.cache_read_tokens[:end])) is not None:
        day = today - timedelta(days=1)
        found.append(UnusualDay(AlertKind.CACHE_COLD, owner, day, cold.share, cold.usual_share))
    return found
