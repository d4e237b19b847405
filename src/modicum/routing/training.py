"""A table -> a router: learned from all of it, and set by what was reached on prompts that were not learned from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from modicum.routing.calibration import RateCalibration, Unit, best_model, calibrate, unit_costs
from modicum.routing.curve import CurveFigures, curve_figures
from modicum.routing.evaluation import draw_folds, out_of_fold_scores, out_of_fold_steps
from modicum.routing.familiar_words import learn_familiar_words
from modicum.routing.learners.learner import OutcomeLearner
from modicum.routing.outcome_table import OutcomeTable, check_table
from modicum.routing.router import MEASURED_FOREIGN, Provenance, Router, RouterTerms
from modicum.routing.sparse_rows import Floats
from modicum.routing.step_scorer import learn_steps

FOLDS = 5


@dataclass(frozen=True)
class TrainedRouter:
    router: Router
    calibration: RateCalibration
    remarks: Sequence[str]


def train_router(
    table: OutcomeTable,
    learner: OutcomeLearner,
    unit: Unit,
    *,
    source: str,
    today: date,
    holds_days: int,
    loss: float | None = None,
    budget: float | None = None,
    prices: Mapping[str, float] | None = None,
) -> TrainedRouter:
    """Args:
    prices: dollars per token of models, as of today (`rule.mean_price`), so that a later change can be weighed.
    loss: what may be lost against the best single model, as a share of outcomes.
    budget: instead, what a call may take on the mean.

    Raises:
        UserError: the table is too small, or has nothing to learn from.
    """
    remarks = check_table(table)
    complete = table.complete()
    graded = complete if len(complete) >= len(table) // 2 else table
    folds = draw_folds(graded, FOLDS)
    by_text = out_of_fold_scores(graded, learner, folds)
    scores = by_text + out_of_fold_steps(graded, by_text, folds) if graded.stages else by_text
    calibration = calibrate(graded, scores, unit, loss=loss, budget=budget)
    costs, best = unit_costs(graded, unit), best_model(graded)
    figures = _gain_figures(graded, scores, costs, best) if graded is complete else None
    if calibration.rate == 0 or calibration.saving is None or calibration.saving <= 0:
        remarks.append(
            f"Nothing can be saved within what may be lost: this router sends nearly all to {calibration.best_single}."
        )
    if figures is not None and figures.apgr <= 0.5:
        remarks.append("The prompts say nothing about which model is needed: the choice is no better than chance.")
    provenance = Provenance(
        trained_on=today,
        expires_on=today + timedelta(days=holds_days),
        source=source,
        learner=learner.name,
        tasks_count=graded.tasks_count,
        outcome=calibration.outcome,
        best_single_outcome=calibration.best_single_outcome,
        saving=calibration.saving,
        apgr=None if figures is None else figures.apgr,
    )
    terms = RouterTerms(
        models=graded.models,
        costs=tuple(map(float, costs)),
        unit=unit,
        rate=calibration.rate,
        best_single=calibration.best_single,
        most_foreign=float(np.quantile(graded.inputs.measures[:, MEASURED_FOREIGN], 0.99)),
        provenance=provenance,
        prices=tuple(prices.get(model, 0.0) for model in graded.models) if prices else (),
        familiar=learn_familiar_words(graded.inputs.words),
    )
    steps = learn_steps(graded.stages, graded.outcomes, by_text) if graded.stages else None
    router = Router(learner.fit(graded.inputs, graded.outcomes), terms, steps)
    return TrainedRouter(router, calibration, remarks)


def _gain_figures(table: OutcomeTable, scores: Floats, costs: Floats, best: int) -> CurveFigures | None:
    """Of the cheapest and the best model; None where they are the same."""
    cheapest = int(np.argmin(costs))
    if cheapest == best:
        return None
    outcomes = table.outcomes
    return curve_figures(scores[:, best] - scores[:, cheapest], outcomes[:, cheapest], outcomes[:, best])
