"""From expected outcomes to choices: how much outcome a dollar, second or joule is worth, by a floor or a budget."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np

from modicum.calls import UserError
from modicum.routing.outcome_table import OutcomeTable
from modicum.routing.partial_outcomes import estimate_outcomes, standard_error
from modicum.routing.sparse_rows import Floats, Integers

Unit = Literal["usd", "seconds", "joules", "calls"]
"""`calls`: of two models whose cost nobody knows, the share of calls to the better one."""
TRIED = 200
CAUTION = 1.0
"""Standard errors that are taken off a difference before it is believed: of many thresholds one looks good by luck."""


@dataclass(frozen=True)
class RateCalibration:
    """The exchange rate between outcome and cost, and what came of it on prompts that were not learned from."""

    unit: Unit
    rate: float
    """Outcome that one unit of cost must add."""
    outcome: float
    cost: float
    best_single: str
    best_single_outcome: float
    best_single_cost: float

    @property
    def saving(self) -> float | None:
        """Share of the best single model's cost; None where that costs nothing."""
        return 1 - self.cost / self.best_single_cost if self.best_single_cost > 0 else None


def unit_costs(table: OutcomeTable, unit: Unit) -> Floats:
    """What a reply of each model takes, on the mean.

    Raises:
        UserError: nobody knows it.
    """
    if unit == "calls":
        if len(table.models) != 2:
            raise UserError(
                "without costs only two models can be weighed; give the table a column cost_usd, seconds or joules, "
                "or name two: --model A --model B"
            )
        costs = np.zeros(2)
        costs[best_model(table)] = 1.0
        return costs
    costs = table.mean_costs(unit)
    unknown = [model for model, cost in zip(table.models, costs, strict=True) if not np.isfinite(cost)]
    if unknown:
        raise UserError(f"the table says nothing of the {unit} of {', '.join(unknown)}; leave them out with --model")
    return costs


def default_unit(table: OutcomeTable) -> Unit:
    for unit in ("usd", "seconds", "joules"):
        if unit in table.costs and np.isfinite(table.mean_costs(unit)).all():
            return unit
    return "calls"


def best_model(table: OutcomeTable) -> int:
    """The model with the best mean outcome over the tasks that all were graded on."""
    complete = table.outcomes[np.isfinite(table.outcomes).all(axis=1)]
    if len(complete):
        return int(np.argmax(complete.mean(axis=0)))
    with np.errstate(invalid="ignore"):
        return int(np.nanargmax(np.nanmean(table.outcomes, axis=0)))


def choose(scores: Floats, costs: Floats, rate: float) -> Integers:
    """The model of each row that is worth most at this rate; of equals the first."""
    models: Integers = np.argmax(scores - rate * costs, axis=1)
    return models


def rates_to_try(scores: Floats, costs: Floats) -> Floats:
    """Rates between "always the best" and "always the cheapest", as many between as quantiles of what is gained."""
    order = np.argsort(costs, kind="stable")
    steps = []
    for cheap, dear in pairwise(order):
        if costs[dear] > costs[cheap]:
            gained = (scores[:, dear] - scores[:, cheap]) / (costs[dear] - costs[cheap])
            steps.append(np.quantile(gained, np.linspace(0, 1, TRIED)))
    highest = max((float(each.max()) for each in steps), default=0.0)
    tried: Floats = np.unique(np.concatenate([*steps, [0.0, max(0.0, highest) * 1.001 + 1e-12]]))
    return tried[tried >= 0]


def calibrate(
    table: OutcomeTable,
    scores: Floats,
    unit: Unit,
    *,
    loss: float | None = None,
    budget: float | None = None,
) -> RateCalibration:
    """The rate at which the router loses no more than `loss` (a share of outcomes) against the best single model, for
    the least cost; or with `budget`, at which it reaches most for a mean cost per call of at most that.

    `scores` are those of prompts that were not learned from. Where tasks were done by some of the models only, outcomes
    and costs are estimates (`partial_outcomes.py`).

    Raises:
        UserError: no model fits the budget.
    """
    costs = unit_costs(table, unit)
    outcomes = estimate_outcomes(table.outcomes, scores)
    groups = table.groups if table.tasks else None
    is_partial = not np.isfinite(table.outcomes).all()
    # What a model that did few tasks makes of all of them is mostly luck, so of estimates the surest counts.
    errors = [CAUTION * standard_error(column, groups) if is_partial else 0.0 for column in outcomes.T]
    best = int(np.argmax(outcomes.mean(axis=0) - errors))
    rows = np.arange(len(table))
    chosen: tuple[float, float, float] | None = None
    for rate in rates_to_try(scores, costs):
        models = choose(scores, costs, rate)
        outcome, cost = float(outcomes[rows, models].mean()), float(costs[models].mean())
        if budget is not None:
            is_fit, is_better = cost <= budget, chosen is None or outcome > chosen[1]
        else:
            change = outcomes[rows, models] - outcomes[:, best]
            is_fit = float(change.mean()) - CAUTION * standard_error(change, groups) >= -(loss or 0.0)
            is_better = chosen is None or cost < chosen[2]
        if is_fit and is_better:
            chosen = float(rate), outcome, cost
    if chosen is None and budget is not None:
        raise UserError(
            f"no choice stays within {budget:g} {unit} a call; the cheapest model alone takes {costs.min():g}"
        )
    if chosen is None:
        chosen = 0.0, float(outcomes[:, best].mean()), float(costs[best])
    return RateCalibration(unit, *chosen, table.models[best], float(outcomes[:, best].mean()), float(costs[best]))
