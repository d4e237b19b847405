"""Rules: pure functions that may change a call before it is sent. Gateway, library and replay run the very same ones.

A rule does no I/O, keeps nothing from one call to the next, and changes nothing that it is given: it looks at the
prompt and at the facts, and says what it wants. What needs a memory of its own (who said what, which run this is)
prepares facts for its rule instead (`Facts.of`).
"""

from collections.abc import Callable
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


class Rule(NamedTuple):
    """A rule and the name under which its edits are booked."""

    name: str
    """`family.what`, as `team_plan.hide`."""
    decide: Callable[[Prompt, Facts], Change | NotDecidable]
    """`NO_CHANGE` where nothing is to be changed. What the prompt does not hold need not be asked for first: reading it
    ends the rule as not decidable."""


class RuleEffect(StrEnum):
    CHANGED = "changed"
    NOT_DECIDABLE = "not_decidable"
    DOES_NOT_FIT = "does_not_fit"
    """The rule wants a change that this call cannot take: it went on without it."""
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
