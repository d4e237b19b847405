"""Rules: pure functions that may change a call before it is sent. Gateway, library and replay run the very same ones.

A rule does no I/O, keeps nothing from one call to the next, and changes nothing that it is given: it looks at the
prompt and at the facts, and says what it wants. What needs a memory of its own (who said what, which run this is)
prepares facts for its rule instead (`Facts.of`).
"""

from collections.abc import Callable
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple, NoReturn

import msgspec

from modicum.calls.change import Change
from modicum.calls.facts import Facts
from modicum.calls.prompt import Prompt


class NotDecidable(msgspec.Struct, frozen=True):
    """The rule needs to know what its prompt or facts do not hold. It is no change and not "no change" either."""

    why: str
    """What is missing."""

    def __bool__(self) -> NoReturn:
        raise TypeError("'not decidable' is neither a change nor none: ask with isinstance")


class Safety(StrEnum):
    """What a rule may do to what the model is sent."""

    LOSSLESS = "lossless"
    """The model is sent all that the caller wrote: data in fewer bytes, or a word to the provider about its cache."""
    REVERSIBLE = "reversible"
    """Something is left out, and a line says where it can be read again."""
    LOSSY = "lossy"
    """Something is left out for good."""


class NetSaving(NamedTuple):
    """What a change is expected to save, less what it costs to write again what it breaks out of the cache."""

    tokens_removed: int = 0
    """Tokens that this call no longer carries."""
    tokens_broken: int = 0
    """Tokens that stand in the provider's cache, and must be written again behind the change."""
    usd: Decimal | None = None
    """Over this call and those expected after it; negative: it costs more than it saves. None: no price is known."""
    is_certain: bool = False
    """Whether the change saves something at any price."""

    @property
    def is_positive(self) -> bool:
        return self.is_certain if self.usd is None else self.usd > 0


class Rule(NamedTuple):
    """A rule and the name under which its edits are booked."""

    name: str
    """`family.what`, as `team_plan.hide`."""
    decide: Callable[[Prompt, Facts], Change | NotDecidable]
    """`NO_CHANGE` where nothing is to be changed. What the prompt does not hold need not be asked for first: reading it
    ends the rule as not decidable."""
    safety: Safety | None = None
    """None: the feature that brings the rule has decided that it is run, and it is not weighed. Every rule of the list
    has one, and acts only where its expected net saving is above 0."""
    is_cache_safe: bool = False
    """It makes the same of the same unit in every call, whatever stands around it: what it has once changed stays the
    same in the calls after it, so that the provider's cache is kept."""
    purpose: str = ""
    """What it does, in one line for its users."""
    weigh: Callable[[Prompt, Facts, Change], NetSaving] | None = None
    """What its change is expected to save; None: as `optimizers/net_saving.py` works it out from the tokens."""
    needs_results: bool = False
    """It looks at results of tools alone, so a request without any is none of its business."""
    edits_each: bool = False
    """What it makes of a result depends on that result and on the prompt's tools alone, so that what it made of a
    beginning holds in every call (`Prompt.earlier_edits`)."""
    must_be_chosen: bool = False
    """It loses nothing and yet is not on by default, because it takes more time on a call than nobody asked for."""

    must_be_named: bool = False
    """It runs only where it is chosen by its own name: neither its family nor `all` choose it."""

    @property
    def is_default(self) -> bool:
        """Whether it runs where nobody has chosen otherwise."""
        return self.safety is Safety.LOSSLESS and self.is_cache_safe and not self.must_be_chosen


class RuleEffect(StrEnum):
    CHANGED = "changed"
    NOT_DECIDABLE = "not_decidable"
    DOES_NOT_FIT = "does_not_fit"
    """The rule wants a change that this call cannot take: it went on without it."""
    NOT_WORTH = "not_worth"
    """Its expected net saving is not above 0, or nobody knows: the call went on without it."""
    FAILED = "failed"
    """The rule raised: a bug in it. The call went on as it came."""


class RuleDecision(NamedTuple):
    """What became of one rule at one call. Of a rule that wants nothing there is none."""

    rule: str
    effect: RuleEffect
    change: Change | None = None
    """What it wanted, if it got so far."""
    why: str = ""
    """Why not, where it was not changed."""
    place: str = ""
    """File and line in which the rule raised, where it failed."""
    expected: NetSaving | None = None
    """What it was expected to save; None: it was not weighed."""
