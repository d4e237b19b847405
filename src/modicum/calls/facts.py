"""What a rule may know of a call beside its prompt. None and empty mean that nobody knows, unless a field says more."""

from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from fnmatch import fnmatchcase
from typing import TypeVar

import msgspec

from modicum.calls.call import NOBODY, Owner
from modicum.calls.rates import Rates

Known = TypeVar("Known")


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of one call before it is sent."""

    at: datetime
    """When the call began, in UTC."""
    model: str
    """As the caller names it, or as the rule before this one has changed it."""
    provider: str = ""
    """Who would bill it, by the id of genai-prices."""
    dialect: str = ""
    """The wire dialect of the caller's request; empty in a replay: the ledger does not keep it."""
    streams: bool | None = None
    """Whether the reply is to come in pieces."""
    most_output_tokens: int | None = None
    """The most output that the caller allows."""
    choices_count: int = 1
    """How many replies are made of the one prompt, each of them billed."""

    owner: Owner = NOBODY
    """Who pays."""
    task: str = ""
    conversation: str = ""
    """The growing context; live it is empty unless the caller names it: which one it continues is found out later."""
    agent: str = ""
    """The agent within the task."""
    project: str = ""
    tags: Mapping[str, str] = {}

    rates: Callable[[str], Rates | None] | None = None
    """Dollars per token of a model of that name at this provider, on the day of the call, at the standard tier, for a
    prompt of this size. None: nobody knows, or live: not yet (a price is looked up beside the call that first asks)."""
    cached_tokens: int | None = None
    """Leading tokens of the prompt that should stand in the provider's cache: what the conversation's call before read
    from it and wrote to it. 0: nothing. None: the call is the first, or live: its conversation was not seen here."""
    cached_for_s: float = 300.0
    """Time to live of what stands there."""
    rules_before: frozenset[str] | None = None
    """Rules that changed the conversation's call before: what they make of its units stands in the cache. None: nobody
    knows."""
    later_calls: float | None = None
    """Calls that are expected after this one in its conversation, as those before it had them; None: nobody knows."""
    turn: int | None = None
    """How many calls the conversation had before this one. Live it is None where this process may have seen only a part
    of them: after a restart, or with several workers."""
    since_last_call_s: float | None = None
    """Seconds since the conversation's call before; None for its first."""
    conversation_age_s: float | None = None
    """Seconds since the conversation's first call."""

    allowed_models: tuple[str, ...] = ()
    """Patterns of the models that the owner's key may use; none: all."""
    budget_left_usd: Decimal | None = None
    """Dollars that the tightest budget over the call has for it, less what other calls hold; None: no budget is in
    dollars, or in a replay: the ledger does not keep it."""
    context_limit_tokens: int | None = None
    """The most tokens that the model takes, prompt and output together."""

    features: tuple[object, ...] = ()
    """What features know for rules of their own, at most one object of a class (`of`)."""

    @property
    def warm_tokens(self) -> int | None:
        """Leading tokens that still stand in the provider's cache; None: not known."""
        if self.turn == 0:
            return 0
        if self.cached_tokens is None or self.since_last_call_s is None:
            return None
        return self.cached_tokens if self.since_last_call_s < self.cached_for_s else 0

    def of(self, kind: type[Known]) -> Known | None:
        """What a feature has prepared for its rule; None: the call is none of its business."""
        return next((known for known in self.features if isinstance(known, kind)), None)

    def allows(self, model: str) -> bool:
        """Whether the owner's key may use this model."""
        return not self.allowed_models or any(fnmatchcase(model, pattern) for pattern in self.allowed_models)
