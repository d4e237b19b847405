"""Models that an upstream no longer knows: no rule moves a call there for a while."""

from collections.abc import Callable
from time import monotonic

from modicum.gateway.exchange import Exchange
from modicum.gateway.process.log import log
from modicum.routing.rule import GoneModels

GONE_FOR_S = 600.0
_NOT_HERE = 404
_KINDS = frozenset({"model_not_found", "not_found_error", "model_not_available", "NOT_FOUND"})


class GoneModelMemory:
    """Args:
    now_s: a clock that only goes forward.
    """

    def __init__(self, now_s: Callable[[], float] = monotonic) -> None:
        self._now_s = now_s
        self._until: dict[str, float] = {}

    def remember(self, model: str) -> None:
        if model not in self._until:
            log("model_gone", model=model, next=f"calls go as they came for {GONE_FOR_S:.0f} s, then it is tried again")
        self._until[model] = self._now_s() + GONE_FOR_S

    def facts(self) -> tuple[GoneModels, ...]:
        """For the rules; nothing where all models are there."""
        if not self._until:
            return ()
        now = self._now_s()
        self._until = {model: until for model, until in self._until.items() if until > now}
        return (GoneModels(frozenset(self._until)),) if self._until else ()


def is_model_gone(exchange: Exchange) -> bool:
    """Whether the answer says that there is no such model."""
    answer, reply = exchange.answer, exchange.reply
    if answer is None or answer.status < 400:
        return False
    return answer.status == _NOT_HERE or (reply is not None and reply.error_kind in _KINDS)
