"""The keys in force, as of now: a key that was revoked is refused at the next call, in every worker."""

from modicum.calls import UserError
from modicum.gateway.process.log import log
from modicum.governance.keys import KeyEvent, Keys
from modicum.ledger.events import EventFile


class LiveKeys:
    def __init__(self, events: EventFile) -> None:
        self._events = events
        self._seen = events.stamp
        self._last = events.last()
        self._keys = Keys(events.read("key", KeyEvent))

    def __call__(self) -> Keys:
        """The keys; read anew if an event has come since the last look."""
        if self._events.stamp != self._seen:
            self._reload()
        return self._keys

    def check_file(self) -> None:
        """Asks the file itself: whoever appended an event may have died before it could say so."""
        if self._events.last() != self._last:
            self._reload()

    def _reload(self) -> None:
        """Reads the keys again. Events that this version cannot read are logged, and the former keys stay."""
        seen, last = self._events.stamp, self._events.last()
        try:
            self._keys = Keys(self._events.read("key", KeyEvent))
        except UserError as error:
            log("keys_kept", error=str(error))
        else:
            log("keys_reloaded", keys=len(self._keys.in_force()))
        self._seen, self._last = seen, last
