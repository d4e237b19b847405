"""Budgets on the cost of an outcome, and what is said of them: within, above, not shown, or that nobody can say.

Pure: sums and intervals are handed over. Such a budget refuses no call, since what a call brings is not known when it
is made; it warns.
"""

import math
from enum import StrEnum
from typing import NamedTuple

import msgspec

from modicum.calls.words.counted_nouns import number_of
from modicum.calls.words.percentages import percent
from modicum.governance.budget_windows import BudgetWindow

LEAST_TASKS = 10
"""With fewer an interval may hold less often than it says, so nothing is concluded."""
CONFIDENCE = 0.95


class OutcomeBudget(msgspec.Struct, frozen=True, kw_only=True):
    """What one outcome may cost, over the tasks that began within a window."""

    outcome: str
    limit_usd: float
    window: BudgetWindow
    by: str = ""
    """A dimension of which every name has this budget to itself, as `team` or `tag:feature`; empty: all tasks
    together."""


class OutcomeSpend(NamedTuple):
    """What a budget's tasks cost, and what came of them."""

    tasks: int
    """Tasks whose outcome is known, and whose calls all have a price."""
    outcomes: float
    """Of all tasks that have the outcome."""
    cost_usd: float
    """Of these, failed ones included, as far as it is known."""
    usd_each: float | None = None
    """What an outcome costs; None: there is none to divide by."""
    low: float | None = None
    """Its interval; None: there is none."""
    high: float | None = None
    no_interval: str = ""
    caution: str = ""
    is_lower_bound: bool = False
    """The costs are at least as high as they stand."""
    tasks_unpriced: int = 0
    """Tasks with an outcome that are left out, since a call of theirs has no price."""
    tasks_without_outcome: int = 0
    cost_without_outcome_usd: float = 0.0


class OutcomeRuling(StrEnum):
    WITHIN = "within"
    ABOVE = "above"
    NOT_SHOWN = "not_shown"
    """The interval holds the limit."""
    CANNOT_SAY = "cannot_say"


class OutcomeVerdict(NamedTuple):
    ruling: OutcomeRuling
    why: str
    tasks_needed: int | None = None
    """About how many tasks would decide it, if they are like these."""


def judge_cost(budget: OutcomeBudget, spend: OutcomeSpend) -> OutcomeVerdict:
    """Whether outcomes cost more than the budget says, as far as the tasks so far show it."""
    if not spend.tasks:
        return OutcomeVerdict(OutcomeRuling.CANNOT_SAY, f"no task has an outcome with a known cost{_pending(spend)}")
    if not spend.outcomes:
        return _judge_without_any(budget, spend)
    if spend.tasks < LEAST_TASKS:
        why = (
            f"{number_of(spend.tasks, 'task is', 'tasks are')} too few to conclude "
            f"from; {LEAST_TASKS} are the least{_pending(spend)}"
        )
        return OutcomeVerdict(OutcomeRuling.CANNOT_SAY, why, LEAST_TASKS)
    return _judge_interval(budget, spend)


def _judge_interval(budget: OutcomeBudget, spend: OutcomeSpend) -> OutcomeVerdict:
    if spend.low is None or spend.high is None:
        return OutcomeVerdict(OutcomeRuling.CANNOT_SAY, f"no interval: {spend.no_interval}{_pending(spend)}")
    care = f"; with care: {spend.caution}" if spend.caution else ""
    if spend.low > budget.limit_usd:
        return OutcomeVerdict(OutcomeRuling.ABOVE, f"the whole interval is above the limit{care}")
    if spend.high > budget.limit_usd:
        needed = _tasks_needed(budget.limit_usd, spend)
        return OutcomeVerdict(OutcomeRuling.NOT_SHOWN, f"the interval holds the limit{care}{_pending(spend)}", needed)
    if doubt := _doubt(budget, spend):
        return OutcomeVerdict(OutcomeRuling.NOT_SHOWN, f"the interval is below the limit, but {doubt}{care}")
    return OutcomeVerdict(OutcomeRuling.WITHIN, f"the whole interval is within the limit{care}{_pending(spend)}")


def _judge_without_any(budget: OutcomeBudget, spend: OutcomeSpend) -> OutcomeVerdict:
    """Not one outcome. If a task brings one at most, n failures in a row leave a chance of success of at most
    1 - 0.05^(1/n), and so a least cost.
    """
    most_share = 1 - (1 - CONFIDENCE) ** (1 / spend.tasks)
    least_usd = spend.cost_usd / (spend.tasks * most_share)
    so_far = f"not one {budget.outcome} in {number_of(spend.tasks, 'task')} for ${spend.cost_usd:,.2f}"
    if spend.tasks >= LEAST_TASKS and least_usd > budget.limit_usd:
        why = (
            f"{so_far}: if a task brings one at most, such tasks bring one in at most {percent(most_share)} of "
            f"cases ({percent(CONFIDENCE, 0)}), so one costs ${least_usd:,.2f} or more"
        )
        return OutcomeVerdict(OutcomeRuling.ABOVE, why)
    return OutcomeVerdict(OutcomeRuling.CANNOT_SAY, f"{so_far}: nobody knows what one costs{_pending(spend)}")


def _doubt(budget: OutcomeBudget, spend: OutcomeSpend) -> str:
    """Why an interval within the limit is no proof that outcomes are."""
    if spend.is_lower_bound:
        return "the costs are a lower bound"
    if spend.tasks_unpriced:
        return (
            f"{number_of(spend.tasks_unpriced, 'task is', 'tasks are')} left out, since some of its calls have no price"
        )
    at_worst = (spend.cost_usd + spend.cost_without_outcome_usd) / spend.outcomes
    if at_worst > budget.limit_usd:
        return (
            f"{number_of(spend.tasks_without_outcome, 'task has', 'tasks have')} no outcome yet, at "
            f"${spend.cost_without_outcome_usd:,.2f}; if they fail, one costs ${at_worst:,.2f}"
        )
    return ""


def _tasks_needed(limit: float, spend: OutcomeSpend) -> int | None:
    """The interval narrows with the root of the number of tasks, on the logarithm."""
    assert spend.low is not None and spend.high is not None and spend.usd_each  # noqa: S101, PT018 - the caller looked
    away = abs(math.log(spend.usd_each / limit))
    reach = math.log(spend.high / spend.low) / 2
    needed = spend.tasks * (reach / away) ** 2 if away > 1e-6 else math.inf
    return math.ceil(needed) if needed < 1e7 else None


def _pending(spend: OutcomeSpend) -> str:
    if not spend.tasks_without_outcome:
        return ""
    return (
        f"; {number_of(spend.tasks_without_outcome, 'task has', 'tasks have')} no "
        f"outcome yet, at ${spend.cost_without_outcome_usd:,.2f}"
    )
