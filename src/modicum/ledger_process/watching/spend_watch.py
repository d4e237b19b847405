"""Which teams spend or cache as they usually do not, asked of the ledger every ten minutes: of today so far, and of
yesterday, of which some calls come late.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from time import monotonic

from modicum.governance.alerts import AlertKind, UnusualDay
from modicum.ledger.store import Store
from modicum.reports.forecast.anomalies import MOST_DAYS, find_anomaly
from modicum.reports.forecast.cold_caches import find_cold_cache
from modicum.reports.forecast.daily_series import DailySeries, read_daily_series
from modicum.settings import checked_zone

EVERY_S = 600.0
MOST_TEAMS = 200
"""Of which is told at once; with more there is another trouble."""


class SpendWatch:
    """Filled by the ledger's thread; `unusual` may be read by others."""

    def __init__(self) -> None:
        self.unusual: Sequence[UnusualDay] = ()
        self._next_s = 0.0

    def check(self, store: Store, floor_usd: float, zone: str) -> None:
        """Looks at the ledger, if it is time again. `floor_usd`: 0 for not at all; `zone`: empty for UTC."""
        if not floor_usd:
            self.unusual = ()
            return
        if monotonic() < self._next_s:
            return
        self._next_s = monotonic() + EVERY_S
        own_zone = checked_zone(zone or "UTC")
        self.unusual = find_unusual(store, floor_usd, datetime.now(UTC).astimezone(own_zone).date(), own_zone.key)


def find_unusual(store: Store, floor_usd: float, today: date, zone: str) -> list[UnusualDay]:
    """Days of teams that were out of the ordinary: of today and yesterday. Of today, which is not over, only more
    spend than of a whole day is.
    """
    since = datetime(today.year, today.month, today.day, tzinfo=UTC) - timedelta(days=MOST_DAYS + 3)
    asked_until = since + timedelta(days=MOST_DAYS + 6)
    rows = store.ask("spend_by_day", by="team", tag="", zone=zone, since=since, until=asked_until, where={})
    found: list[UnusualDay] = []
    for team, series in read_daily_series(rows, today).items():
        found += _unusual_of(team, series, floor_usd, today)
    return sorted(found, key=lambda one: one.usual - one.figure)[:MOST_TEAMS]


def _unusual_of(team: str, series: DailySeries, floor_usd: float, today: date) -> list[UnusualDay]:
    found = []
    for day, end in ((today, len(series.usd)), (today - timedelta(days=1), len(series.usd) - 1)):
        if (much := find_anomaly(series.usd[:end], floor_usd)) is not None:
            found.append(UnusualDay(AlertKind.SPEND_ANOMALY, team, day, much.usd, much.expected_usd))
    end = len(series.usd) - 1
    if (cold := find_cold_cache(series.prompt_tokens[:end], series.cache_read_tokens[:end])) is not None:
        day = today - timedelta(days=1)
        found.append(UnusualDay(AlertKind.CACHE_COLD, team, day, cold.share, cold.usual_share))
    return found
