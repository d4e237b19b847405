"""The statement of a month: what each name spent itself, its share of subscriptions and of shared costs, and the total.

- `list_usd` is what the calls cost by the price list: its sum is the bill's.
- `metered_usd` is the part of it that is invoiced by use. Calls that a subscription covers are in `subscription_usd`
  instead, which sums to the fees.
- `shared_usd` is the share of costs that several have together; who is divided among the others has minus that.

Unknown costs are in no sum; the calls are counted.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

import msgspec

from modicum.calls import BUCKETS, Basis
from modicum.insights.money.splitting import split_exactly
from modicum.ledger.asking.several_dimensions import BETWEEN
from modicum.metering.price_file import Subscription
from modicum.reports.showback.rules import SharedCost, ShowbackRules, SplitBy

ZERO = Decimal(0)


class UsageLine(NamedTuple):
    """The calls of one source and name in the month."""

    source: str
    name: str
    calls: int
    tokens: int
    usd: Decimal | None
    """By the list; None: no cost is known."""
    basis: Basis
    calls_unpriced: int
    """Calls without a known cost, for whatever reason."""


class StatementRow(msgspec.Struct, kw_only=True):
    """What one name owes, or all together."""

    name: str
    """Empty: calls that nobody tagged."""
    code: str = ""
    calls: int = 0
    tokens: int = 0
    list_usd: Decimal = ZERO
    metered_usd: Decimal = ZERO
    subscription_usd: Decimal = ZERO
    shared_usd: Decimal = ZERO
    basis: Basis = Basis.EXACT
    calls_unpriced: int = 0

    @property
    def own_usd(self) -> Decimal:
        """Before shared costs."""
        return self.metered_usd + self.subscription_usd

    @property
    def total_usd(self) -> Decimal:
        return self.metered_usd + self.subscription_usd + self.shared_usd


class PaidFee(msgspec.Struct, frozen=True):
    """A subscription in that month."""

    name: str
    source: str
    paid_usd: Decimal
    calls: int
    """That it covers."""
    list_usd: Decimal


class DividedCost(msgspec.Struct, frozen=True):
    """A shared cost in that month."""

    name: str
    usd: Decimal
    rule: str


class Statement(msgspec.Struct, frozen=True, kw_only=True):
    """Rows with the greatest total first."""

    rows: list[StatementRow]
    total: StatementRow
    fees: list[PaidFee]
    shared: list[DividedCost]
    covered: frozenset[str]
    """Sources whose calls a subscription covers."""


def parse_usage_lines(cells: Iterable[Mapping[str, Any]]) -> list[UsageLine]:
    """The lines of cells of a bill by source and by what the statement is by; provider's usage reports are left out as
    a bill leaves them out.
    """
    found = list(cells)
    logged = [cell for cell in found if not cell["is_report"]] or found
    lines = []
    for cell in logged:
        source, _, name = str(cell["name"]).partition(BETWEEN)
        tokens = sum(int(cell[bucket] or 0) for bucket in BUCKETS)
        basis, unpriced = Basis(cell["cost_basis"]), int(cell["calls_unpriced"] or 0)
        lines.append(UsageLine(source, name, int(cell["calls"]), tokens, cell["cost_usd"], basis, unpriced))
    return lines


def build_statement(
    lines: Sequence[UsageLine], month: date, rules: ShowbackRules, subscriptions: Sequence[Subscription] = ()
) -> Statement:
    """The statement of a month.

    Args:
        lines: what was used.
        month: its first day.
        rules: how it is divided.
        subscriptions: flat fees, of which those are paid that hold in the month and cover a call.
    """
    rows: dict[str, StatementRow] = {}
    for line in lines:
        _add(_row(rows, line.name, rules), line)
    fees, covered = _spread_fees(lines, month, rules, subscriptions, rows)
    for line in lines:
        if line.source not in covered:
            rows[line.name].metered_usd += line.usd or ZERO
    shared = [_divide(cost, rows, rules) for cost in rules.shared if cost.holds_in(month)]
    ordered = sorted(rows.values(), key=lambda row: (-row.total_usd, row.name))
    return Statement(rows=ordered, total=_sum(ordered), fees=fees, shared=shared, covered=covered)


def _row(rows: dict[str, StatementRow], name: str, rules: ShowbackRules) -> StatementRow:
    if name not in rows:
        rows[name] = StatementRow(name=name, code=rules.codes.get(name, ""))
    return rows[name]


def _add(row: StatementRow, line: UsageLine) -> None:
    row.calls += line.calls
    row.tokens += line.tokens
    row.calls_unpriced += line.calls_unpriced
    if line.usd is not None:
        row.list_usd += line.usd
        row.basis |= line.basis


def _spread_fees(
    lines: Sequence[UsageLine],
    month: date,
    rules: ShowbackRules,
    subscriptions: Sequence[Subscription],
    rows: Mapping[str, StatementRow],
) -> tuple[list[PaidFee], frozenset[str]]:
    fees = []
    for fee in subscriptions:
        used = [line for line in lines if line.source == fee.source]
        if not used or not fee.is_paid_in(month):
            continue
        weights = [_weight_of(line, rules.subscriptions) for line in used]
        if not any(weights):  # no price is known of any of them
            weights = [Decimal(line.calls) for line in used]
        for line, part in zip(used, split_exactly(fee.usd_per_month, weights), strict=True):
            rows[line.name].subscription_usd += part
        listed = sum((line.usd or ZERO for line in used), ZERO)
        fees.append(PaidFee(fee.name, fee.source, fee.usd_per_month, sum(line.calls for line in used), listed))
    return fees, frozenset(fee.source for fee in fees)


def _weight_of(line: UsageLine, split: SplitBy) -> Decimal:
    if split is SplitBy.CALLS:
        return Decimal(line.calls)
    return Decimal(line.tokens) if split is SplitBy.TOKENS else line.usd or ZERO


def _divide(cost: SharedCost, rows: dict[str, StatementRow], rules: ShowbackRules) -> DividedCost:
    """Puts a shared cost into the rows of those who share it, by what they spent before shared costs."""
    amount = cost.usd_per_month or ZERO
    if cost.of is not None:
        amount = rows[cost.of].own_usd if cost.of in rows else ZERO
    weights = _weights(cost, rows)
    if weights and amount:
        for name, part in zip(weights, split_exactly(amount, list(weights.values())), strict=True):
            _row(rows, name, rules).shared_usd += part
        if cost.of is not None:
            rows[cost.of].shared_usd -= amount
    elif amount and cost.of is None:
        _row(rows, "", rules).shared_usd += amount  # nobody is there to share it, and it was paid all the same
    return DividedCost(cost.name, amount, cost.rule)


def _weights(cost: SharedCost, rows: Mapping[str, StatementRow]) -> dict[str, Decimal]:
    if cost.split is SplitBy.SHARES:
        return dict(cost.shares)
    others = {name: row for name, row in rows.items() if name != cost.of}
    if cost.split is SplitBy.EVEN:
        return {name: Decimal(1) for name in others if name}
    if cost.split is SplitBy.CALLS:
        return {name: Decimal(row.calls) for name, row in others.items()}
    return {name: row.own_usd for name, row in others.items()}


def _sum(rows: Sequence[StatementRow]) -> StatementRow:
    total = StatementRow(name="total")
    for row in rows:
        total.calls += row.calls
        total.tokens += row.tokens
        total.list_usd += row.list_usd
        total.metered_usd += row.metered_usd
        total.subscription_usd += row.subscription_usd
        total.shared_usd += row.shared_usd
        total.calls_unpriced += row.calls_unpriced
        total.basis |= row.basis
    return total


def statement_document(statement: Statement, month: date, by: str, zone: str, rules: ShowbackRules) -> dict[str, Any]:
    """The one JSON object of `modicum statement --json`; docs/showback.md explains its fields."""
    return {
        "month": f"{month:%Y-%m}",
        "by": by,
        "timezone": zone,
        "total": row_document(statement.total),
        "rows": [row_document(row) for row in statement.rows],
        "subscriptions": statement.fees,
        "shared": statement.shared,
        "rules": [
            "costs are list prices of the day of each call, or your own",
            *([rules.subscription_rule] if statement.fees else []),
            *(one.rule for one in statement.shared),
            "calls that nobody tagged are a row of their own",
        ],
    }


def row_document(row: StatementRow) -> dict[str, Any]:
    """A row with its total."""
    return {**msgspec.structs.asdict(row), "total_usd": row.total_usd}
