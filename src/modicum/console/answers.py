"""Answers that many viewers share: each is worked out once, and again only when it has grown old.

The older an answer may be, the longer it took: a page over a large ledger may use a twentieth of the time of the
process that holds it, however many look at it.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

T = TypeVar("T")

LEAST_S = 0.8
REST = 19
"""How many times as long as it took an answer is good."""
STALE = 10
"""How many times its age an answer is shown while it is worked out anew; older ones are waited for."""
MOST = 500


class _Answer:
    def __init__(self) -> None:
        self.value: Any = None
        self.is_there = False
        self.made_at = self.took_s = 0.0
        self.lock = threading.Lock()

    def age(self, now: float) -> float:
        """In multiples of how old it may become."""
        return (now - self.made_at) / max(LEAST_S, REST * self.took_s)


class Answers:
    """A bounded memory of answers, safe for threads.

    Args:
        clock: tells the time in seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._answers: OrderedDict[Hashable, _Answer] = OrderedDict()
        self._lock = threading.Lock()

    def clear(self) -> None:
        """Forgets all answers."""
        with self._lock:
            self._answers.clear()

    def get(self, key: Hashable, compute: Callable[[], T]) -> T:
        """The answer to `key`. What `compute` raises goes to its caller, and nothing is remembered of it."""
        with self._lock:
            answer = self._answers.setdefault(key, _Answer())
            self._answers.move_to_end(key)
            while len(self._answers) > MOST:
                self._answers.popitem(last=False)
        age = answer.age(self._clock())
        if answer.is_there and age < 1:
            return answer.value  # type: ignore[no-any-return]
        may_be_old = answer.is_there and age < STALE
        if not answer.lock.acquire(blocking=not may_be_old):
            return answer.value  # type: ignore[no-any-return]
        try:
            if not answer.is_there or answer.age(self._clock()) >= 1:  # another one may have been faster
                began = self._clock()
                answer.value = compute()
                answer.made_at = self._clock()
                answer.took_s, answer.is_there = answer.made_at - began, True
            return answer.value  # type: ignore[no-any-return]
        finally:
            answer.lock.release()
