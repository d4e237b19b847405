"""Days that have ended are summed, in the time that shipping leaves: questions over years read the sums."""

from collections.abc import Callable
from datetime import UTC, datetime
from time import monotonic

from modicum.ledger.store import DAYS_OPEN_FOR, Store
from modicum.ledger_process.watching.live_settings import LiveSettings
from modicum.settings import user_zone

DAYS_A_TURN = 2
REST = 9
"""How many times as long as a turn took must pass until the next one: a ledger of years is summed beside its calls."""
EVERY_S = 60.0
"""How often it is looked for days, where none was left."""


class DaySums:
    """Used by the ledger's thread.

    Args:
        settings: in which zone days begin.
        clock: tells the time in seconds.
    """

    def __init__(self, settings: LiveSettings, clock: Callable[[], float] = monotonic) -> None:
        self._settings, self._clock = settings, clock
        self._next_s = 0.0

    def sum_some(self, store: Store) -> int:
        """Sums a few days, if it is time again; how many.

        Raises:
            UserError: the settings name no zone that there is.
        """
        began = self._clock()
        if began < self._next_s:
            return 0
        self._next_s = began + EVERY_S  # also where it fails
        zone = user_zone(self._settings.current.timezone).zone.key
        summed = store.sum_days(zone, datetime.now(UTC) - DAYS_OPEN_FOR, DAYS_A_TURN)
        if summed:
            ended = self._clock()
            self._next_s = ended + REST * (ended - began)
        return summed
