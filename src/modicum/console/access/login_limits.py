"""How often somebody may try to log in: guessing takes years, a forgotten password minutes."""

import math
import threading
from collections import OrderedDict, deque
from collections.abc import Callable

WITHIN_S = 900.0
MOST_PER_NAME, MOST_PER_ADDRESS = 10, 50
MOST_NAMES = 10_000


class LoginLimits:
    """Counts failed tries by name and by address. `clock`: tells the time in seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock, self._lock = clock, threading.Lock()
        self._failures: OrderedDict[tuple[str, str], deque[float]] = OrderedDict()

    def begin_try(self, name: str, address: str) -> int:
        """Takes a try, which counts as failed until `forget` says otherwise: many at once are not more than one after
        another.

        Returns:
            Seconds until another try is taken; 0: this one is.
        """
        now, wait = self._clock(), 0.0
        with self._lock:
            for key, most in self._keys(name, address):
                times = self._failures.get(key)
                if times is not None and len(times) >= most and (left := times[-most] + WITHIN_S - now) > wait:
                    wait = left
            if not wait:
                self._count(name, address, now)
        return math.ceil(wait)

    def forget(self, name: str, address: str) -> None:
        """Somebody has logged in: the name starts afresh, and the last try from that address was no failure."""
        with self._lock:
            self._failures.pop(("name", name), None)
            if times := self._failures.get(("address", address)):
                times.pop()

    def _count(self, name: str, address: str, now: float) -> None:
        for key, most in self._keys(name, address):
            self._failures.setdefault(key, deque(maxlen=most)).append(now)
            self._failures.move_to_end(key)
        while len(self._failures) > MOST_NAMES:
            self._failures.popitem(last=False)

    @staticmethod
    def _keys(name: str, address: str) -> tuple[tuple[tuple[str, str], int], ...]:
        return (("name", name), MOST_PER_NAME), (("address", address), MOST_PER_ADDRESS)
