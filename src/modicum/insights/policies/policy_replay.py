"""A policy on the past: which calls of the ledger it would have refused, and what these cost.

The very verdicts of the gateway are asked. What the ledger does not hold of a call (the effort that was asked for, the
bound on its reply, often its region) makes it undecided, which is counted apart and never as a "no". Budgets are
replayed with what calls cost in fact; the gateway reserves what they may cost at most, so it refuses these or more.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal

import msgspec

from modicum.calls import Basis, Owner
from modicum.governance.budgets import Amounts, Budget, Ruling, Spender
from modicum.governance.policy import (
    DATA_CLASS_TAG,
    CallPolicy,
    PlannedCall,
    PolicyLimit,
    PolicyRuling,
    decide_policy,
)
from modicum.governance.worst_case import ceiling, nano_usd
from modicum.insights.policies.spent_windows import SpentWindows
from modicum.ledger.rows import Row

_tags = msgspec.json.Decoder(dict[str, str]).decode


class CallSum(msgspec.Struct):
    """Some calls, and what they cost."""

    calls: int = 0
    usd: Decimal = Decimal(0)
    """Of those whose cost is known."""
    calls_unpriced: int = 0
    basis: Basis = Basis.EXACT
    """Of the dollars."""

    def add(self, row: Row) -> None:
        self.calls += row["calls"]
        if row["cost_usd"] is None:
            self.calls_unpriced += row["calls"]
        else:
            self.usd += row["cost_usd"]
            self.basis |= Basis(row["cost_basis"])


class PolicyLine(msgspec.Struct):
    """What one clause or budget would have done."""

    kind: str
    """`clause` or `budget`."""
    name: str
    limit: str
    """Which setting of a clause decides; of a budget, what would have become of the calls."""
    sum: CallSum = msgspec.field(default_factory=CallSum)


class PolicyReplay(msgspec.Struct):
    """What a policy would have done to a history."""

    every: CallSum = msgspec.field(default_factory=CallSum)
    refused: CallSum = msgspec.field(default_factory=CallSum)
    cheaper: CallSum = msgspec.field(default_factory=CallSum)
    """Calls that budgets would have sent to a cheaper model."""
    undecided: CallSum = msgspec.field(default_factory=CallSum)
    lines: list[PolicyLine] = []
    """Refusals by what refuses, the dearest first."""
    undecided_lines: list[PolicyLine] = []


def replay_policy(rows: Iterable[Row], policy: CallPolicy, budgets: Sequence[Budget]) -> PolicyReplay:
    """What a policy would have said of calls, in order of time. A call that is refused is spent on no budget."""
    replay, windows = PolicyReplay(), SpentWindows(budgets)
    refusals: dict[tuple[str, str, str], PolicyLine] = {}
    undecided: dict[tuple[str, str, str], PolicyLine] = {}
    for row in rows:
        replay.every.add(row)
        tags = _tags(row["tags"])
        verdict = decide_policy(policy, _planned(row, tags))
        if verdict.ruling is not PolicyRuling.ADMIT and verdict.clause is not None:
            limit = verdict.limit or PolicyLimit.MODELS
            is_refused = verdict.ruling is PolicyRuling.REFUSE
            (replay.refused if is_refused else replay.undecided).add(row)
            _count(refusals if is_refused else undecided, ("clause", verdict.clause.name, limit.value), row)
            if is_refused:
                continue
        if budgets:
            _spend(replay, windows, refusals, undecided, row, tags)
    replay.lines = sorted(refusals.values(), key=lambda line: (-line.sum.usd, -line.sum.calls))
    replay.undecided_lines = sorted(undecided.values(), key=lambda line: -line.sum.calls)
    return replay


def _spend(
    replay: PolicyReplay,
    windows: SpentWindows,
    refusals: dict[tuple[str, str, str], PolicyLine],
    undecided: dict[tuple[str, str, str], PolicyLine],
    row: Row,
    tags: dict[str, str],
) -> None:
    usd, tokens = row["cost_usd"], row["effective_tokens"]
    amounts = Amounts(
        None if usd is None else nano_usd(usd), None if tokens is None else ceiling(Decimal(tokens)), row["calls"]
    )
    verdict = windows.decide(Spender(_owner(row), row["model"], row["task"], tags), row["started"], amounts)
    if verdict.standing is None:
        return
    name = verdict.standing.budget.name
    if verdict.ruling is Ruling.UNPRICED:
        replay.undecided.add(row)
        _count(undecided, ("budget", name, "cost unknown"), row)
    elif verdict.is_refusal:
        replay.refused.add(row)
        _count(refusals, ("budget", name, "refused"), row)
    elif verdict.ruling is Ruling.DOWNGRADE:
        replay.cheaper.add(row)
        _count(refusals, ("budget", name, "to a cheaper model"), row)


def _count(lines: dict[tuple[str, str, str], PolicyLine], place: tuple[str, str, str], row: Row) -> None:
    lines.setdefault(place, PolicyLine(*place)).sum.add(row)


def _owner(row: Row) -> Owner:
    return Owner(row["team"], row["app"], row["user_name"], row["key_name"])


def _planned(row: Row, tags: dict[str, str]) -> PlannedCall:
    return PlannedCall(
        model=row["model"],
        provider=row["provider"] or None,
        region=row["region"] or None,
        owner=_owner(row),
        project=row["project"],
        data_class=tags.get(DATA_CLASS_TAG, ""),
        effort=None,
        thinking_tokens=None,
        prompt_tokens=row["prompt_tokens"],
        most_output_tokens=row["completion_tokens"],
        is_past=True,
    )
