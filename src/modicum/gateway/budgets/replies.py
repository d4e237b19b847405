"""What replies say of budgets: how much is left, or why a call is refused and when it is worth another try."""

from collections.abc import Iterable
from datetime import datetime
from math import ceil

from modicum.gateway.http.refusal import Refused
from modicum.governance.budgets import (
    Amounts,
    Budget,
    BudgetVerdict,
    LimitUnit,
    Ruling,
    Standing,
    plain_amount,
    show_amount,
    tightest,
)

BUSY_RETRY_S = 1
UNKNOWN_RETRY_S = 2
_NO_MOST = (
    "it has no max_tokens, so its model's whole context window counts: set max_tokens, or have the budget's owner set "
    "assume_max_tokens"
)
_DIGITS = {LimitUnit.USD: ".6f", LimitUnit.JOULES: ".3f"}
MOST_LINE_TOKENS = 256
"""Of a line for an agent: it has fewer bytes."""


def refusal(verdict: BudgetVerdict, worst: Amounts, no_bound: str, *, names_no_most: bool = False) -> Refused:
    """The answer to a call that does not fit: which budget, what is left, and when it opens again.

    Args:
        verdict: of that call.
        worst: what it may cost at most.
        no_bound: why nobody knows that.
        names_no_most: it does not say how much output it wants at most.
    """
    standing = verdict.standing
    assert standing is not None  # noqa: S101 - a refusal is a budget's
    budget = standing.budget
    if verdict.ruling is Ruling.UNPRICED:
        why = _unpriced(no_bound, budget.unit)
        return Refused(402, f"the budget '{budget.name}' is hard, and {why}", "budget_unpriced")
    amount, left = worst.in_unit(budget.unit) or 0, show_amount(budget.unit, standing.left)
    if budget.unit is LimitUnit.CALLS:
        needs = "this is one more"
    else:
        needs = f"this call may cost {show_amount(budget.unit, amount)}" + (f" ({_NO_MOST})" if names_no_most else "")
    limit = f"{show_amount(budget.unit, budget.limit)} per {budget.window.text}"
    if standing.kept_back:
        limit += f", {show_amount(budget.unit, standing.kept_back)} of it only for calls with results of tools"
    if verdict.ruling is Ruling.TOO_LARGE:
        return Refused(
            402,
            f"the budget '{budget.name}' ({limit}) can never hold it: {needs}; set a smaller max_tokens",
            "budget_exceeded",
        )
    if verdict.ruling is Ruling.BUSY:
        held = show_amount(budget.unit, standing.reserved)
        return Refused(
            429,
            f"the budget '{budget.name}' ({limit}) has {left} left while calls that run hold {held}; {needs}; "
            "try again when they have ended",
            "budget_busy",
            BUSY_RETRY_S,
        )
    return Refused(
        402,
        f"the budget '{budget.name}' ({limit}) has {left} left; {needs}; {_opens(standing)}",
        "budget_exceeded",
        None if standing.opens_in_s is None else max(ceil(standing.opens_in_s), 1),
    )


def unknown(budget: Budget) -> Refused:
    """The answer while nobody can say what was spent before."""
    return Refused(
        503,
        f"what was spent of the budget '{budget.name}' is not known yet: the ledger does not answer; try again",
        "budget_unknown",
        UNKNOWN_RETRY_S,
    )


def away(budget: Budget) -> Refused:
    """The answer while the counters that several gateways share cannot be reached."""
    return Refused(
        503,
        f"how the budget '{budget.name}' stands is not known: the counters that the gateways share cannot be reached; "
        "try again",
        "budget_away",
        UNKNOWN_RETRY_S,
    )


def not_downgraded(standing: Standing, why: str) -> Refused:
    """The answer to a call that its budget would send to a cheaper model that it cannot go to."""
    budget = standing.budget
    return Refused(
        402,
        f"the budget '{budget.name}' is so far used up that calls go to '{budget.downgrade_to}', and this one cannot: "
        f"{why}",
        "budget_exceeded",
    )


def left_text(standing: Standing) -> str:
    """What the header says: `team-month; usd=8.765500; resets_s=3600`."""
    budget = standing.budget
    left = f"{plain_amount(budget.unit, standing.left):{_DIGITS.get(budget.unit, '')}}"
    resets = "" if standing.opens_in_s is None else f"; resets_s={ceil(standing.opens_in_s)}"
    return f"{budget.name}; {budget.unit}={left}{resets}"


def agent_line(standings: Iterable[tuple[Standing, datetime | None]]) -> str:
    """What an agent is shown of the tightest budget that wants it; empty: none is so far used up.

    Args:
        standings: how budgets stand before the call, each with the end of its window.
    """
    low = [(one, end) for one, end in standings if one.left < one.budget.agent_line_below]
    least = tightest(one for one, _ in low)
    if least is None:
        return ""
    budget, end = least.budget, next(end for one, end in low if one is least)
    left, limit = show_amount(budget.unit, least.left), show_amount(budget.unit, budget.limit)
    if budget.window.sliding_s:
        until = f" for any {budget.window.text}"
    else:
        until = "" if end is None else f" until {end:%Y-%m-%d %H:%M} UTC"
    return f"[modicum: budget '{budget.name}': {left} of {limit} left{until}.]"


def _unpriced(no_bound: str, unit: LimitUnit) -> str:
    if no_bound:
        return f"nothing bounds what this call may cost: {no_bound}"
    if unit is LimitUnit.JOULES:
        return (
            "nobody has stated what this model draws: give it a row [[energy]] in modicum.toml (docs/budgets.md), or "
            "ask for a model that has one"
        )
    return (
        "no price is known for this model: give it one in prices.toml (docs/prices.md), or ask for a model that has one"
    )


def _opens(standing: Standing) -> str:
    if standing.opens_in_s is None:
        return "it does not open again by itself: have its owner raise it in modicum.toml"
    seconds = max(ceil(standing.opens_in_s), 1)
    some = "some of it is free again" if standing.budget.window.sliding_s else "it opens again"
    return f"{some} in {seconds} s" if seconds < 7200 else f"{some} in {seconds / 3600:.1f} hours"
