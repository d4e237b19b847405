"""Rate limits: how many calls and tokens a minute, and how many calls at once, somebody may have or an upstream gets.

Pure: how much is used is handed over.
"""

from collections.abc import Iterable
from enum import StrEnum
from math import ceil
from typing import NamedTuple

import msgspec

from modicum.calls import Owner
from modicum.governance.budgets import EACH, fits_model

WINDOW_S = 60.0
BYTES_PER_TOKEN = 4


class RateUnit(StrEnum):
    CALLS = "calls"
    TOKENS = "tokens"
    AT_ONCE = "at_once"
    """Calls under way."""


class RateLimit(msgspec.Struct, frozen=True, kw_only=True):
    """How much somebody may have in a minute, or at once. A call counts on every limit that covers it."""

    name: str
    most: dict[RateUnit, int]
    queue: int = 0
    """How many calls may wait for room."""
    queue_s: float = 0.0
    """How long one may."""
    team: str = ""
    """Whose calls; empty: all, `*`: each of them has a limit of its own. So are the following."""
    app: str = ""
    user: str = ""
    key: str = ""
    upstream: str = ""
    model: str = ""
    """A pattern."""

    @property
    def is_of_upstream(self) -> bool:
        """Whether each attempt of a call counts, and not the call: what an upstream gets."""
        return bool(self.upstream)

    def instance_of(self, owner: Owner, model: str, upstream: str) -> tuple[str, ...] | None:
        """Which of this limit's sums the call counts in: the names that have one each. None: it is not covered."""
        if self.model and not fits_model(self.model, model):
            return None
        instance: tuple[str, ...] = ()
        for limited, name in (
            (self.team, owner.team),
            (self.app, owner.app),
            (self.user, owner.user),
            (self.key, owner.key),
            (self.upstream, upstream),
        ):
            if limited == EACH:
                instance += (name,)
            elif limited and limited != name:
                return None
        return instance


class RateStanding(NamedTuple):
    """How a limit stands in one unit, for one call."""

    limit: RateLimit
    unit: RateUnit
    used: int
    """By others, running ones with all that they may use."""
    frees_in_s: float | None = None
    """When some of it is free again; None: when a call ends."""

    @property
    def most(self) -> int:
        return self.limit.most[self.unit]

    def left(self, amount: int = 0) -> int:
        """What is left when this call has taken its part."""
        return max(self.limit.most[self.unit] - self.used - amount, 0)

    @property
    def retry_after_s(self) -> int:
        """When it is worth another try."""
        return 1 if self.frees_in_s is None else max(ceil(self.frees_in_s), 1)


def estimate_tokens(body_bytes: int, most_output_tokens: int | None) -> int:
    """What a call counts until its usage is known: a quarter of its bytes, and the bound on its reply if it has one."""
    return body_bytes // BYTES_PER_TOKEN + max(most_output_tokens or 0, 0)


def amount_of(limit: RateLimit, unit: RateUnit, tokens: int) -> int:
    """What a call takes. One that is larger than the whole limit takes all of it: it is made when nothing else is."""
    return min(tokens, limit.most[unit]) if unit is RateUnit.TOKENS else 1


def exceeded(standings: Iterable[RateStanding], tokens: int) -> RateStanding | None:
    """The limit that a call goes beyond; of several the one that lasts longest."""
    beyond = [one for one in standings if one.used + amount_of(one.limit, one.unit, tokens) > one.most]
    return max(beyond, key=lambda one: one.retry_after_s, default=None)


def tightest_of(standings: Iterable[RateStanding], unit: RateUnit) -> RateStanding | None:
    """The limit on a unit of which least is left."""
    least, least_left = None, 0
    for one in standings:
        if one.unit is unit and (least is None or one.left() < least_left):
            least, least_left = one, one.left()
    return least


def users_that_fit(most: int, used: float, users: int) -> int | None:
    """How many more users like the present ones a limit has room for; None: nobody is there to go by."""
    if not users or used <= 0:
        return None
    return max(int((most - used) / (used / users)), 0)
