"""What outcomes are worth, less what their tasks cost."""

from decimal import Decimal

import msgspec

from modicum.insights.yields import YieldLine


class OutcomeMargin(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    worth_usd: Decimal
    """Outcomes times what one is worth."""
    cost_usd: Decimal | None
    """Of all tasks that have the outcome, failed ones included. None: a call among them has no price."""
    margin_usd: Decimal | None


def margin_of(line: YieldLine, each_usd: Decimal) -> OutcomeMargin:
    """The margin of one line of a yield. A cost that is known in part only gives none: it would be too high."""
    worth = Decimal(repr(line.outcomes)) * each_usd
    cost = None if line.calls_unpriced else line.cost_usd
    return OutcomeMargin(
        name=line.name, worth_usd=worth, cost_usd=cost, margin_usd=None if cost is None else worth - cost
    )
