"""Whose yield fell, asked of the ledger every hour: of the seven days that are over, beside the four weeks before."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

from modicum.governance.alerts import YieldState
from modicum.insights.trends.fallen_yields import RECENT_DAYS, find_fallen_yields
from modicum.ledger.store import Store
from modicum.ledger_process.watching.question_timer import QuestionTimer
from modicum.ledger_process.watching.watched_owners import Dimensions, watched_owner
from modicum.settings import checked_zone

EVERY_S = 3600.0


class YieldWatch:
    """Filled by the ledger's thread; `fallen` may be read by others."""

    def __init__(self) -> None:
        self.fallen: Sequence[YieldState] = ()
        self._timer = QuestionTimer()

    def check(
        self,
        store: Store,
        dimensions: Dimensions,
        outcomes: Iterable[str],
        least_fall: float,
        floor_usd: float,
        zone: str,
    ) -> None:
        """Looks at the ledger, if it is time again. `least_fall`: 0 for not at all; `zone`: empty for UTC."""
        if not least_fall:
            self.fallen = ()
            return
        if not self._timer.is_due(EVERY_S):
            return
        own_zone = checked_zone(zone or "UTC")
        today = datetime.now(UTC).astimezone(own_zone).date()
        found = find_fallen_yields(store, dimensions, today, own_zone.key, outcomes, least_fall, floor_usd)
        since = today - timedelta(days=RECENT_DAYS)
        self.fallen = [
            YieldState(
                watched_owner(dimensions, one.name),
                one.outcome,
                one.usd_each,
                one.usual_usd_each,
                one.tasks,
                one.tasks_failed,
                since,
            )
            for one in found
        ]
