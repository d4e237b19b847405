"""Answers that many viewers share: each is worked out once, and again only when it has grown old.

What takes long is worked out again seldom: all that is done again together may take a twentieth of the time, so that
the process that holds the ledger has the rest for what it is there for, however many people look.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

T = TypeVar("T")

LEAST_S = 0.8
"""How long an answer is good at least."""
QUICK_S = 0.02
"""What takes less is no burden to anybody, and done again when it is old."""
REST = 19
"""How many times as long as it took must pass until something is worked out again."""
STALE_S = 120.0
"""Until this age an answer is shown while it is worked out anew; an older one is waited for."""
MOST = 500


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

    def get(self, key: Hashable, compute: Callable[[], T], least_s: float = LEAST_S, *, is_light: bool = False) -> T:
        """The answer to `key`, not older than `least_s` if that is no burden. What `compute` raises goes to its
        caller, and nothing is remembered of it.

        Args:
            key: names the question.
            compute: answers it.
            least_s: how long the answer is good.
            is_light: it is no burden, however long it takes: it comes from memory.
        """
        with self._lock:
            answer = self._answers.setdefault(key, _Answer())
            self._answers.move_to_end(key)
            while len(self._answers) > MOST:
                self._answers.popitem(last=False)
        if not self._is_due(answer, least_s, is_light=is_light):
            return answer.value  # type: ignore[no-any-return]
        may_be_old = answer.is_there and self._clock() - answer.made_at < STALE_S
        if not answer.lock.acquire(blocking=not may_be_old):
            return answer.value  # type: ignore[no-any-return]
        try:
            if self._is_due(answer, least_s, is_light=is_light):  # another one may have been faster
                self._work_out(answer, compute, is_light=is_light)
            return answer.value  # type: ignore[no-any-return]
        finally:
            answer.lock.release()

    def _is_due(self, answer: _Answer, least_s: float, *, is_light: bool) -> bool:
        if not answer.is_there:
            return True
        now = self._clock()
        if now - answer.made_at < least_s:
            return False
        return is_light or answer.took_s < QUICK_S or now >= self._rest_until

    def _work_out(self, answer: _Answer, compute: Callable[[], Any], *, is_light: bool) -> None:
        began = self._clock()
        answer.value = compute()
        answer.made_at = self._clock()
        answer.took_s, answer.is_there = answer.made_at - began, True
        if answer.took_s >= QUICK_S and not is_light:
            with self._lock:
                self._rest_until = max(self._rest_until, answer.made_at) + REST * answer.took_s
