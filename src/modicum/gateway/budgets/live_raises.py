"""The raises of budgets in force, as of now: one that a person approves holds from the next call on."""

from modicum.calls import UserError
from modicum.gateway.process.log import log
from modicum.governance.budget_raises import EVENT_KIND, RaiseEvent, Raises
from modicum.ledger.events import EventFile


class LiveRaises:
    def __init__(self, events: EventFile) -> None:
        self._events = events
        self._stamp = events.stamp
        self._raises = Raises(events.read(EVENT_KIND, RaiseEvent))

    def __call__(self) -> Raises:
        """Read anew if an event has come since the last look. If they cannot be read, that is logged, and the former
        stay.
        """
        if (stamp := self._events.stamp) != self._stamp:
            self._stamp = stamp
            try:
                self._raises = Raises(self._events.read(EVENT_KIND, RaiseEvent))
            except UserError as error:
                log("budget_raises_kept", error=str(error))
        return self._raises
