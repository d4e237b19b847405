"""A span that tells of a call which also came through the gateway, where neither an id nor a trace says so.

Some instrumentations keep no id of the reply and send no trace context. Then a span is taken for a call of the gateway
if key, model and token counts (as far as the span has them) are the same and the call lies within the span's time. Each
call is taken for one span only, so that as many calls are counted as were made, however alike they are.
"""

from collections import deque
from datetime import datetime, timedelta
from itertools import islice

import msgspec

from modicum.calls import Basis, Call

MOST_CALLS = 50_000
MOST_COMPARED = 2_000
"""Of the calls that are alike, the newest; no span is behind by more."""
SKEW = timedelta(seconds=1)
"""How far apart the clocks of two machines may be."""

_Likeness = tuple[str, str, int, int]
_UNCOUNTED = -1


class _GatewayCall(msgspec.Struct):
    likenesses: tuple[_Likeness, ...]
    started: datetime
    finished: datetime
    is_taken: bool = False


class SpanMatcher:
    """The gateway's newest calls, by what a span says of them, too."""

    def __init__(self) -> None:
        self._by_likeness: dict[_Likeness, deque[_GatewayCall]] = {}
        self._order: deque[_GatewayCall] = deque()

    def add(self, call: Call) -> None:
        """A call of the gateway."""
        if not call.owner.key or call.finished is None:
            return
        # A span may lack the counts that the gateway has: a stream has them only for those who ask.
        sent = _GatewayCall(tuple({_likeness(call), _uncounted(call)}), call.started, call.finished)
        for likeness in sent.likenesses:
            self._by_likeness.setdefault(likeness, deque()).append(sent)
        self._order.append(sent)
        if len(self._order) > MOST_CALLS:
            self._forget(self._order.popleft())

    def match(self, call: Call) -> bool:
        """Whether the call of a span is one of them, which is then no other span's."""
        if not call.owner.key or call.finished is None:
            return False
        for sent in islice(reversed(self._by_likeness.get(_likeness(call), ())), MOST_COMPARED):
            is_within = call.started - SKEW <= sent.started and sent.finished <= call.finished + SKEW
            if is_within and not sent.is_taken:
                sent.is_taken = True
                return True
        return False

    def _forget(self, sent: _GatewayCall) -> None:
        for likeness in sent.likenesses:
            alike = self._by_likeness[likeness]
            alike.popleft()  # in order of coming, so it is the same
            if not alike:
                del self._by_likeness[likeness]


def _likeness(call: Call) -> _Likeness:
    if call.usage_basis is Basis.UNKNOWN:
        return _uncounted(call)
    return call.owner.key, call.model, call.usage.prompt_tokens, call.usage.completion_tokens


def _uncounted(call: Call) -> _Likeness:
    return call.owner.key, call.model, _UNCOUNTED, _UNCOUNTED
