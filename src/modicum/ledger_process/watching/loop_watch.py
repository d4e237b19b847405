"""Which agents go in circles, asked of the ledger every two minutes: in calls of the last hour."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from modicum.governance.alerts import LoopState
from modicum.insights.trends.running_loops import find_running_loops
from modicum.ledger.store import Store
from modicum.ledger_process.watching.question_timer import QuestionTimer
from modicum.ledger_process.watching.watched_owners import Dimensions, watched_owner

EVERY_S = 120.0
WITHIN = timedelta(hours=1)


class LoopWatch:
    """Filled by the ledger's thread; `loops` may be read by others."""

    def __init__(self) -> None:
        self.loops: Sequence[LoopState] = ()
        self._timer = QuestionTimer()

    def check(self, store: Store, dimensions: Dimensions, least_repeats: int) -> None:
        """Looks at the ledger, if it is time again. `least_repeats`: 0 for not at all."""
        if not least_repeats:
            self.loops = ()
            return
        if not self._timer.is_due(EVERY_S):
            return
        found = find_running_loops(store, dimensions, datetime.now(UTC) - WITHIN, least_repeats)
        self.loops = [
            LoopState(
                watched_owner(dimensions, one.name),
                one.conversation,
                one.task,
                one.tool,
                one.repeats,
                one.since,
                None if one.cost_usd is None else float(one.cost_usd),
            )
            for one in found
        ]
