"""`[[limit]]`: how many calls and tokens a minute, and how many calls at once."""

import math
from collections.abc import Collection, Sequence

import msgspec

from modicum.governance.budgets import EACH
from modicum.governance.limits import RateLimit, RateUnit

MOST_COUNT = 10**12
MOST_QUEUE = 10_000
MOST_QUEUE_S = 300.0


class LimitSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[[limit]]`, once for each limit. A call counts on every limit that covers it, and must fit into all."""

    name: str
    """What refusals call it."""
    calls_per_minute: int | None = None
    """Within the last 60 seconds, at every moment. At least one of the three is set."""
    tokens_per_minute: int | None = None
    """Prompt and reply, cached or not. Until a call's usage is known it counts with a quarter of its bytes and its
    max_tokens."""
    calls_at_once: int | None = None
    """Calls under way."""
    queue: int = 0
    """How many calls may wait for room, in each gateway process. 0: they are refused at once."""
    queue_s: float = 5.0
    """How long a call may wait."""
    team: str = ""
    """The team whose calls it covers; `*`: every team has a limit of its own. Empty: all."""
    app: str = ""
    """The same for an app."""
    user: str = ""
    """The same for a user."""
    key: str = ""
    """The same for a key, by its name."""
    upstream: str = ""
    """What an upstream gets: then each attempt of a call counts."""
    model: str = ""
    """A pattern of the model that the call goes to."""

    @property
    def most(self) -> dict[RateUnit, int]:
        """Those that are set."""
        every = {
            RateUnit.CALLS: self.calls_per_minute,
            RateUnit.TOKENS: self.tokens_per_minute,
            RateUnit.AT_ONCE: self.calls_at_once,
        }
        return {unit: most for unit, most in every.items() if most is not None}


KEYS = {
    RateUnit.CALLS: "calls_per_minute",
    RateUnit.TOKENS: "tokens_per_minute",
    RateUnit.AT_ONCE: "calls_at_once",
}


def limits_of(limits: Sequence[LimitSettings]) -> tuple[RateLimit, ...]:
    """The limits that checked settings declare."""
    scopes = ("name", "queue", "queue_s", "team", "app", "user", "key", "upstream", "model")
    return tuple(RateLimit(most=one.most, **{name: getattr(one, name) for name in scopes}) for one in limits)


def limit_fault(limits: Sequence[LimitSettings], upstreams: Collection[str]) -> tuple[int, str, str] | None:
    """The first setting that is wrong: of which limit, which, and what it must be."""
    names: set[str] = set()
    for index, one in enumerate(limits):
        fault = _name_fault(one, names) or _number_fault(one)
        if fault is None and one.upstream and one.upstream != EACH and one.upstream not in upstreams:
            fault = "upstream", f"is '{one.upstream:.80}'; it takes '*' or one of: {', '.join(upstreams) or 'none'}"
        if fault is not None:
            return index, *fault
        names.add(one.name)
    return None


def _name_fault(one: LimitSettings, names: set[str]) -> tuple[str, str] | None:
    if not (one.name and one.name.isprintable() and len(one.name) <= 64):
        return "name", "must be 1 to 64 printable characters"
    return ("name", f"must differ from that of the others; '{one.name}' comes twice") if one.name in names else None


def _number_fault(one: LimitSettings) -> tuple[str, str] | None:
    if not one.most:
        return "calls_per_minute", "or another limit must be set: tokens_per_minute, calls_at_once"
    for unit, most in one.most.items():
        if not 0 <= most <= MOST_COUNT:
            return KEYS[unit], f"is a number from 0 to {MOST_COUNT:,}"
    if not 0 <= one.queue <= MOST_QUEUE:
        return "queue", f"is a number of calls from 0 to {MOST_QUEUE:,}"
    if not (math.isfinite(one.queue_s) and 0 <= one.queue_s <= MOST_QUEUE_S):
        return "queue_s", f"is a number of seconds from 0 to {MOST_QUEUE_S:.0f}"
    return None
