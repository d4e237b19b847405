"""Answers that many viewers share: each is worked out once, and again only when it has grown old.

What takes long is worked out again seldom: all questions to the ledger that are asked again may together take a
fortieth of the time, and what comes from its memory another one, so that the process that holds the ledger has the rest
for what it is there for, however many people look.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from enum import Enum, auto
from typing import Any, TypeVar

T = TypeVar("T")

LEAST_S = 0.8
"""How long an answer is good at least."""
QUICK_S = 0.02
"""What takes less is no burden to anybody, and done again when it is old."""
REST = 39
"""How many times as long as it took must pass until something is worked out again."""
STALE_S = 120.0
"""Until this age an answer is shown while it is worked out anew; an older one is waited for."""
MOST = 500


class Burden(Enum):
    """Whom it burdens when an answer is worked out."""

    QUESTION = auto()
    """Who holds the ledger, and together with all other questions."""
    MEMORY = auto()
    """Who holds the ledger, but little: this answer has its own time."""
    NOBODY = auto()
    """It is made of other answers."""


class _Answer:
    def __init__(self) -> None:
        self.value: Any = None
        self.is_there = False
        self.made_at = self.took_s = 0.0
        self.lock = threading.Lock()


class Answers:
    """A bounded memory of answers, safe for threads.

    Args:
        clock: tells the time in seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._answers: OrderedDict[Hashable, _Answer] = OrderedDict()
        self._lock = threading.Lock()
        self._rest_until = 0.0
        """Before this, nothing that takes long is worked out again."""

    def clear(self) -> None:
        """Forgets all answers."""
        with self._lock:
            self._answers.clear()

    def get(
        self,
        key: Hashable,
        compute: Callable[[], T],
        least_s: float = LEAST_S,
        burden: Burden = Burden.QUESTION,
    ) -> T:
        """The answer to `key`, not older than `least_s` if that is no burden. What `compute` raises goes to its
        caller, and nothing is remembered of it.
        """
        with self._lock:
            answer = self._answers.setdefault(key, _Answer())
            self._answers.move_to_end(key)
            while len(self._answers) > MOST:
                self._answers.popitem(last=False)
        if not self._is_due(answer, least_s, burden):
            return answer.value  # type: ignore[no-any-return]
        may_be_old = answer.is_there and self._clock() - answer.made_at < STALE_S
        if not answer.lock.acquire(blocking=not may_be_old):
            return answer.value  # type: ignore[no-any-return]
        try:
            if self._is_due(answer, least_s, burden):  # another one may have been faster
                self._work_out(answer, compute, burden)
            return answer.value  # type: ignore[no-any-return]
        finally:
            answer.lock.release()

    def _is_due(self, answer: _Answer, least_s: float, burden: Burden) -> bool:
        if not answer.is_there:
            return True
        now = self._clock()
        if now - answer.made_at < least_s:
            return False
        if burden is Burden.NOBODY or answer.took_s < QUICK_S:
            return True
        return now >= (self._rest_until if burden is Burden.QUESTION else answer.made_at + REST * answer.took_s)

    def _work_out(self, answer: _Answer, compute: Callable[[], Any], burden: Burden) -> None:
        began = self._clock()
        answer.value = compute()
        answer.made_at = self._clock()
        answer.took_s, answer.is_there = answer.made_at - began, True
        if answer.took_s >= QUICK_S and burden is Burden.QUESTION:
            with self._lock:
                self._rest_until = max(self._rest_until, answer.made_at) + REST * answer.took_s
