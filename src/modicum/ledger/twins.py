"""A span that tells of a call which also came through the gateway, where neither an id nor a trace says so.

Some instrumentations keep no id of the reply and send no trace context. Then a span is taken for a call of the gateway
if key, model and token counts are the same and the call lies within the span's time. Each call is taken for one span
only, so that as many calls are counted as were made, however alike they are.
"""

from collections import deque
from datetime import datetime, timedelta

from modicum.calls import Basis, Call

MOST_CALLS = 50_000
SKEW = timedelta(seconds=1)
"""How far apart the clocks of two machines may be."""

_Likeness = tuple[str, str, int, int]


class Twins:
    """The gateway's newest calls, by what a span says of them, too."""

    def __init__(self) -> None:
        self._calls: dict[_Likeness, list[tuple[datetime, datetime]]] = {}
        self._order: deque[_Likeness] = deque()

    def add(self, call: Call) -> None:
        """A call of the gateway."""
        likeness = _likeness(call)
        if likeness is None or call.finished is None:
            return
        self._calls.setdefault(likeness, []).append((call.started, call.finished))
        self._order.append(likeness)
        if len(self._order) > MOST_CALLS:
            self._forget(self._order.popleft())

    def take(self, call: Call) -> bool:
        """Whether the call of a span is one of them, which is then no other span's."""
        likeness = _likeness(call)
        if likeness is None or call.finished is None:
            return False
        alike = self._calls.get(likeness, [])
        for number, (started, finished) in enumerate(alike):
            if call.started - SKEW <= started and finished <= call.finished + SKEW:
                del alike[number]
                return True
        return False

    def _forget(self, likeness: _Likeness) -> None:
        """The oldest of that likeness, if it was not taken."""
        alike = self._calls.get(likeness, [])
        if alike:
            del alike[0]
        if not alike:
            self._calls.pop(likeness, None)


def _likeness(call: Call) -> _Likeness | None:
    """None where too little is known to tell calls apart."""
    if call.usage_basis is not Basis.EXACT or not call.owner.key:
        return None
    return call.owner.key, call.model, call.usage.prompt_tokens, call.usage.completion_tokens
