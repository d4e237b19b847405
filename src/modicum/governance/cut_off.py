"""How much a reply may hold where a call does not fit into its budgets as a whole."""

from collections.abc import Sequence

from modicum.governance.budgets import Amounts, AtLimit, Standing

LEAST_TOKENS = 16
"""A reply shorter than this is worth nothing, and some APIs take no lower bound."""


def output_that_fits(
    standings: Sequence[Standing], whole: Amounts, empty: Amounts, full: Amounts, full_tokens: int
) -> int | None:
    """How many tokens of output fit into what is left of every hard budget.

    Args:
        standings: of all budgets that cover the call.
        whole: what the call may cost at most as it was asked for. Into budgets that end no stream it must fit as it is.
        empty: what it may cost without any output.
        full: what it may cost with `full_tokens` of output. Between the two a call costs no more than a straight line.
        full_tokens: of each of its choices.

    None: it does not fit with any reply that is worth something.
    """
    fits = full_tokens
    for standing in standings:
        budget, left = standing.budget, standing.limit - standing.spent - standing.reserved
        needed, least, most = (amounts.in_unit(budget.unit) for amounts in (whole, empty, full))
        if not budget.is_hard or (needed is not None and needed <= left):
            continue
        if budget.at_limit is not AtLimit.CUT or least is None or most is None or least > left or most <= least:
            return None
        fits = min(fits, (left - least) * full_tokens // (most - least))
    return fits if LEAST_TOKENS <= fits < full_tokens else None
