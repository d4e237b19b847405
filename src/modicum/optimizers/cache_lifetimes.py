"""How long what conversations write to their caches is to live, five minutes or an hour: decided from the pauses of
calls of their kind and the prices of the day. Gateway and replay decide by the very same function.

A write for an hour costs more; it saves the second write where the next call comes between five minutes and an hour
later. What is never read again costs more with it, and so does what is read again at once.
"""

from math import isfinite
from typing import Literal, NamedTuple

from modicum.calls.change import NO_CHANGE, Change
from modicum.calls.facts import Facts
from modicum.calls.prompt import Prompt
from modicum.calls.rule import Rule

Ttl = Literal["5m", "1h"]
SHORT_S, LONG_S = 300.0, 3600.0
FEWEST_PAUSES = 100
"""Calls that went on in a conversation before anything is decided for their kind."""
MOST_PAUSES = 4_000.0
"""Beyond, all that was counted is halved: habits change."""
LEAST_GAIN = 0.05
"""Share of what is paid for a kind's cache by which one time must be cheaper than the other, or nothing is decided."""


class TtlRates(NamedTuple):
    """Dollars per token."""

    read: float
    write_5m: float
    write_1h: float


class PauseHistory:
    """Pauses of the conversations of one kind, weighed by the tokens that stood in the cache meanwhile. A few numbers,
    however many calls there are.
    """

    __slots__ = ("hour_tokens", "longer_tokens", "new_tokens", "pauses", "short_tokens")

    def __init__(self) -> None:
        self.pauses = 0.0
        """Calls that went on in a conversation."""
        self.new_tokens = 0.0
        """Written for the first time, whatever their time to live."""
        self.short_tokens = 0.0
        """Stood in the cache in pauses of five minutes at most."""
        self.hour_tokens = 0.0
        """The same in longer pauses of an hour at most."""
        self.longer_tokens = 0.0
        """The same in longer ones."""

    def record_first(self, written_tokens: int) -> None:
        """The first call of a conversation has written so much."""
        self.new_tokens += written_tokens

    def record_pause(self, pause_s: float, held_tokens: int, cached_tokens: int) -> None:
        """The next call of a conversation has come.

        Args:
            pause_s: seconds since the call before it.
            held_tokens: what that one left in the cache.
            cached_tokens: what this one read of it and wrote to it.
        """
        self.pauses += 1
        again = min(held_tokens, cached_tokens)
        self.new_tokens += cached_tokens - again
        if pause_s <= SHORT_S:
            self.short_tokens += again
        elif pause_s <= LONG_S:
            self.hour_tokens += again
        else:
            self.longer_tokens += again
        if self.pauses > MOST_PAUSES:
            for name in self.__slots__:
                setattr(self, name, getattr(self, name) / 2)

    def cost(self, ttl: Ttl, rates: TtlRates) -> float:
        """Dollars for the cache of all these calls, had all been written for this time."""
        if ttl == "5m":
            written, read = self.new_tokens + self.hour_tokens + self.longer_tokens, self.short_tokens
            return written * rates.write_5m + read * rates.read
        return (self.new_tokens + self.longer_tokens) * rates.write_1h + (
            self.short_tokens + self.hour_tokens
        ) * rates.read


def decide_ttl(history: PauseHistory, rates: TtlRates | None) -> Ttl | None:
    """The time that pays for calls of this kind; None: too few pauses, no price, or the times cost nearly the same."""
    if history.pauses < FEWEST_PAUSES or rates is None:
        return None
    if not all(isfinite(rate) and rate >= 0 for rate in rates) or rates.write_1h <= rates.write_5m:
        return None  # two times at one price: the list does not tell them apart
    short, long = history.cost("5m", rates), history.cost("1h", rates)
    if min(short, long) >= (1 - LEAST_GAIN) * max(short, long):
        return None
    return "5m" if short < long else "1h"


class DecidedTtl(NamedTuple):
    """For the rules below: what is decided for conversations that begin now."""

    ttl: Ttl | None


def _rule_of(name: str, ttl: Ttl, change: Change) -> Rule:
    def decide(prompt: Prompt, facts: Facts) -> Change:  # noqa: ARG001 - a rule's shape
        """Asks for one time in all calls of a conversation, as it was decided at its first: another one in between
        would write anew what stands there.
        """
        if facts.turn == 0:
            decided = facts.of(DecidedTtl)
            return change if decided is not None and decided.ttl == ttl else NO_CHANGE
        return change if name in (facts.rules_before or ()) else NO_CHANGE

    return Rule(name, decide)


WATCHED = Rule("cache.ttl", lambda *_: NO_CHANGE)
"""Changes nothing. A call without any rule is not looked at, and nobody would know how long the pause before it was."""
_WHY = "by the pauses of calls like it and the prices of the day"
SHORTER = _rule_of("cache.ttl_5m", "5m", Change(shortens_cache_marks=True, why=f"five minutes {_WHY}"))
LONGER = _rule_of("cache.ttl_1h", "1h", Change(lengthens_cache_marks=True, why=f"an hour {_WHY}"))
