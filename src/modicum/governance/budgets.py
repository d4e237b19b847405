"""Budgets, and what is said of a call before it is sent: it is admitted, goes to a cheaper model, or is refused.

Pure: what was spent and what running calls may still cost is handed over, so that gateway and tests decide alike.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import NamedTuple

import msgspec

from modicum.calls import Owner
from modicum.calls.words.counted_nouns import number_of
from modicum.governance.budget_windows import BudgetWindow
from modicum.governance.energy_rate import EnergyRate

NANO = 1_000_000_000
"""Dollars are counted in billionths, so that sums are exact."""
MILLI = 1_000
"""Joules are counted in thousandths."""
EACH = "*"
"""In the place of a name: every name has a budget of its own."""
RESERVED_TAG = "budget.reserved"
"""The tag of a call's record that says what was reserved for it: what it counts as if nobody learns its cost."""
COUNTED_TAG = "budget.generation"
"""The tag of a call that was under way when shared counters were lost: the generation of counters in which it was
reserved again. There it counts by that, and not by what the ledger says.
"""
_DATED = re.compile(r"-(?:20\d{6}|20\d{2}-\d{2}-\d{2})$")


class LimitUnit(StrEnum):
    USD = "usd"
    EFFECTIVE_TOKENS = "effective_tokens"
    CALLS = "calls"
    JOULES = "joules"
    """Of one's own servers, by the rates of `[[energy]]`."""

    @property
    def scale(self) -> int:
        """How many of what is counted make one of the unit that people write."""
        return _SCALES.get(self, 1)


_SCALES = {LimitUnit.USD: NANO, LimitUnit.JOULES: MILLI}


class AtLimit(StrEnum):
    """What becomes of a call that does not fit."""

    REFUSE = "refuse"
    DOWNGRADE = "downgrade"
    """A cheaper model from a share of the limit on; above the limit it is refused."""
    CUT = "cut"
    """A stream is made and ended when what is left is used up; what is no stream is refused."""
    ALERT = "alert"
    """It is made, and that is logged."""


class Spender(NamedTuple):
    """What a budget looks at in a call."""

    owner: Owner
    model: str
    task: str
    tags: Mapping[str, str]


class Amounts(NamedTuple):
    """What a call costs, or may cost at most, in each unit."""

    nano_usd: int | None
    """None: no price is known."""
    effective_tokens: int | None
    calls: int = 1
    millijoules: int | None = None
    """None: no energy is known."""

    def in_unit(self, unit: LimitUnit) -> int | None:
        if unit is LimitUnit.USD:
            return self.nano_usd
        if unit is LimitUnit.JOULES:
            return self.millijoules
        return self.effective_tokens if unit is LimitUnit.EFFECTIVE_TOKENS else self.calls

    @property
    def text(self) -> str:
        """As it stands in a record's tag: dollars/effective tokens, or dollars/effective tokens/millijoules."""
        usd = "" if self.nano_usd is None else f"{self.nano_usd}"
        energy = "" if self.millijoules is None else f"/{self.millijoules}"
        return f"{usd}/{'' if self.effective_tokens is None else self.effective_tokens}{energy}"

    @classmethod
    def parse(cls, text: str) -> "Amounts":
        """The amounts of a record's tag; what is not there is 0."""
        usd, tokens, energy = (*text.split("/"), "", "", "")[:3]
        return cls(_whole_number(usd), _whole_number(tokens), 0, _whole_number(energy))

    def least(self, other: "Amounts") -> "Amounts":
        """In each unit the smaller of two bounds; unknown where one of them is."""
        return Amounts(
            _least(self.nano_usd, other.nano_usd),
            _least(self.effective_tokens, other.effective_tokens),
            min(self.calls, other.calls),
            _least(self.millijoules, other.millijoules),
        )

    def known_or(self, other: "Amounts") -> "Amounts":
        """These, and the other's in units of which nothing is known; its own calls."""
        return Amounts(
            other.nano_usd if self.nano_usd is None else self.nano_usd,
            other.effective_tokens if self.effective_tokens is None else self.effective_tokens,
            self.calls,
            other.millijoules if self.millijoules is None else self.millijoules,
        )


class Budget(msgspec.Struct, frozen=True, kw_only=True):
    """A limit on what somebody's calls may cost within a window. A call counts on every budget that covers it."""

    name: str
    unit: LimitUnit
    limit: int
    """In billionths of a dollar, effective tokens, calls, or thousandths of a joule."""
    window: BudgetWindow
    at_limit: AtLimit = AtLimit.REFUSE
    downgrade_to: str = ""
    downgrade_above: int = 0
    """From which sum on calls go to the cheaper model."""
    most_carried: int = 0
    """How much of what was left of a window is added to the next one, at most."""
    emergency_reserve: int = 0
    """How much of the limit is only for calls in the middle of an agent's work: those that hand over what tools
    returned.
    """
    assume_max_tokens: int = 0
    """The most output of calls that name none themselves; it is sent with them. 0: the model's context window."""
    agent_line_below: int = 0
    """Where less than that is left, a line at the end of the prompt says so to the agent; 0: never."""
    team: str = ""
    """Whose calls; empty: all, `*`: each of them has a budget of its own. So are the following."""
    app: str = ""
    user: str = ""
    key: str = ""
    task: str = ""
    model: str = ""
    """A pattern, as `claude-opus-*`."""
    tag: str = ""
    """A tag's name."""
    tag_value: str = ""
    energy: tuple[EnergyRate, ...] = ()
    """What tokens of which model draw; of a budget in joules."""

    @property
    def is_hard(self) -> bool:
        return self.at_limit is not AtLimit.ALERT

    def carried(self, former_spent: int) -> int:
        """What is added to a window's limit after one in which so much was spent. What was carried into that one lapses
        with it.
        """
        return min(max(self.limit - former_spent, 0), self.most_carried)

    @property
    def identity(self) -> str:
        """What is counted, whatever the limit: a budget that is raised goes on counting."""
        window = self.window
        scope = (self.team, self.app, self.user, self.key, self.task, self.model, self.tag, self.tag_value)
        return "|".join((self.name, self.unit, window.text, window.zone, *scope))

    def instance_of(self, call: Spender) -> tuple[str, ...] | None:
        """Which of this budget's sums the call counts in: the names that have one each. None: it is not covered.

        A call without a name counts in the sum of those without one: to leave a name out is no way past a budget.
        """
        if self.model and not fits_model(self.model, call.model):
            return None
        owner = call.owner
        instance: tuple[str, ...] = ()
        for limited, name in (
            (self.team, owner.team),
            (self.app, owner.app),
            (self.user, owner.user),
            (self.key, owner.key),
            (self.task, call.task),
            (self.tag_value if self.tag else "", call.tags.get(self.tag, "") if self.tag else ""),
        ):
            if limited == EACH:
                instance += (name,)
            elif limited and limited != name:
                return None
        return instance


def _least(one: int | None, other: int | None) -> int | None:
    return None if one is None or other is None else min(one, other)


def _whole_number(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() else 0


def fits_model(pattern: str, model: str) -> bool:
    """Whether a model's name fits, as it was asked for or as the provider dates it (`gpt-4o-2024-08-06`)."""
    return fnmatchcase(model, pattern) or fnmatchcase(_DATED.sub("", model), pattern)


class Standing(NamedTuple):
    """How a budget stands, for one call."""

    budget: Budget
    spent: int
    reserved: int
    """What running calls may still cost."""
    opens_in_s: float | None = None
    """When something is free again, if nobody spends meanwhile; None: never."""
    kept_back: int = 0
    """How much of the limit is not for this call."""

    @property
    def limit(self) -> int:
        """For this call."""
        return max(self.budget.limit - self.kept_back, 0)

    @property
    def left(self) -> int:
        return max(self.limit - self.spent - self.reserved, 0)


class Ruling(StrEnum):
    ADMIT = "admit"
    DOWNGRADE = "downgrade"
    SPENT = "spent"
    """Refused: too little is left."""
    BUSY = "busy"
    """Refused: it would fit if calls that run cost less than they may; worth another try soon."""
    TOO_LARGE = "too_large"
    """Refused: at its worst it costs more than the whole budget."""
    UNPRICED = "unpriced"
    """Refused: nobody knows what it may cost."""


class BudgetVerdict(NamedTuple):
    ruling: Ruling
    standing: Standing | None = None
    """Of the budget that decides; None: none is near its limit."""

    @property
    def is_refusal(self) -> bool:
        return self.ruling not in {Ruling.ADMIT, Ruling.DOWNGRADE}


_ADMITTED = BudgetVerdict(Ruling.ADMIT)


def decide(standings: Sequence[Standing], worst: Amounts, *, may_downgrade: bool = True) -> BudgetVerdict:
    """What becomes of a call.

    Args:
        standings: of all budgets that cover it.
        worst: what it may cost at most.
        may_downgrade: False where it is at the cheaper model already.
    """
    downgrading: Standing | None = None
    refusals: list[BudgetVerdict] = []
    for standing in standings:
        budget = standing.budget
        if not budget.is_hard:
            continue
        amount = worst.in_unit(budget.unit)
        if amount is None:
            refusals.append(BudgetVerdict(Ruling.UNPRICED, standing))
            continue
        total = standing.spent + standing.reserved + amount
        if may_downgrade and budget.at_limit is AtLimit.DOWNGRADE and total > budget.downgrade_above:
            downgrading = downgrading or standing
        if total > standing.limit:
            refusals.append(BudgetVerdict(_reason(standing, amount), standing))
    if downgrading is not None:
        return BudgetVerdict(Ruling.DOWNGRADE, downgrading)
    return _gravest(refusals) if refusals else _ADMITTED


def crossed(standings: Iterable[Standing], worst: Amounts) -> list[Standing]:
    """The budgets that only warn, and that this call may take above their limit."""
    return [
        standing
        for standing in standings
        if not standing.budget.is_hard
        and standing.spent + standing.reserved + (worst.in_unit(standing.budget.unit) or 0) > standing.budget.limit
    ]


def tightest(standings: Iterable[Standing]) -> Standing | None:
    """The one of which the smallest share is left."""
    return min(standings, key=lambda one: one.left / one.budget.limit if one.budget.limit else 0.0, default=None)


def show_amount(unit: LimitUnit, amount: int) -> str:
    """For people: `$1.25`, `1,200 effective tokens`, `3 calls`, `2,500 J`."""
    if unit is LimitUnit.USD:
        usd = amount / NANO
        return f"${usd:,.2f}" if usd >= 1 or not amount else f"${usd:.6f}"
    if unit is LimitUnit.JOULES:
        joules = amount / MILLI
        return f"{joules:,.0f} J" if joules >= 100 or not amount else f"{joules:,.3f} J"
    return number_of(amount, unit.value.replace("_", " ").removesuffix("s"))


def plain_amount(unit: LimitUnit, amount: int) -> float | int:
    """For programs: dollars and joules as numbers, what is counted by the piece as it is."""
    return amount if unit.scale == 1 else amount / unit.scale


def _reason(standing: Standing, amount: int) -> Ruling:
    if amount > standing.limit:
        return Ruling.TOO_LARGE
    return Ruling.BUSY if standing.spent + amount <= standing.limit else Ruling.SPENT


_GRAVITY = (Ruling.UNPRICED, Ruling.TOO_LARGE, Ruling.SPENT, Ruling.BUSY)


def _gravest(refusals: Sequence[BudgetVerdict]) -> BudgetVerdict:
    """Of several refusals the one that lasts longest."""

    def lasts(verdict: BudgetVerdict) -> tuple[int, float]:
        opens = verdict.standing.opens_in_s if verdict.standing is not None else None
        return _GRAVITY.index(verdict.ruling), -float("inf") if opens is None else -opens

    return min(refusals, key=lasts)
