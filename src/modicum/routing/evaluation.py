"""How good a learner is on prompts that it has not learned from, beside random, length, best single and oracle."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from modicum.calls import UserError
from modicum.calls.words.counted_nouns import number_of
from modicum.routing.calibration import RateCalibration, Unit, best_model, calibrate, choose, unit_costs
from modicum.routing.curve import CurveFigures, curve_figures, oracle_scores
from modicum.routing.learners.learner import OutcomeLearner
from modicum.routing.learners.length import LengthLearner
from modicum.routing.outcome_table import OutcomeTable
from modicum.routing.sparse_rows import Floats, Integers
from modicum.routing.step_scorer import learn_steps
from modicum.statistics.student import t_quantile

RANDOM, LENGTH, ORACLE = "random", "length", "oracle"


@dataclass(frozen=True)
class FoldDifference:
    """Mean over folds of a difference, with a 95 % interval.

    Folds learn from nearly the same tasks, so the plain interval would be too narrow: it is widened as Nadeau and
    Bengio do (2003, "Inference for the generalization error").
    """

    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class RouterFigures:
    name: str
    apgr: float
    cpt50: float
    cpt80: float
    """All three are means over folds."""
    cpt80_at_once: float
    """Over all tasks at once, the scores of the folds mixed."""
    apgr_by_fold: tuple[float, ...]
    to_length: FoldDifference | None
    """How much more APGR than length alone."""


@dataclass(frozen=True)
class FloorFigures:
    """What a router costs that was set, on other folds, to lose no more than `loss`."""

    name: str
    loss: float
    outcome_change: FoldDifference
    """Against the best single model."""
    saving: FoldDifference
    """Share of the best single model's cost."""


@dataclass(frozen=True)
class Evaluation:
    weak: str
    strong: str
    tasks_count: int
    folds_count: int
    families_left_out: bool
    routers: tuple[RouterFigures, ...]
    floors: tuple[FloorFigures, ...] = ()
    singles: Mapping[str, tuple[float, float | None]] = field(default_factory=dict)
    """Outcome and cost of each model alone."""


def fold_difference(differences: Sequence[float], folds_count: int | None = None) -> FoldDifference:
    """Args:
    differences: of each fold; of several draws of folds one behind the other.
    folds_count: of one draw; None: there is one.
    """
    values = np.asarray(differences, float)
    count = len(values)
    if count < 2:
        raise ValueError("an interval over folds needs two of them")
    half = (
        t_quantile(0.975, count - 1) * float(values.std(ddof=1)) * (1 / count + 1 / ((folds_count or count) - 1)) ** 0.5
    )
    mean = float(values.mean())
    return FoldDifference(mean, mean - half, mean + half)


def draw_folds(table: OutcomeTable, count: int, *, by_family: bool = False, seed: int = 0) -> Integers:
    """The fold of each row. Equal prompts and steps of one task are in one fold, else a router could look its answer
    up; with `by_family`, whole families.

    Raises:
        UserError: there are too few families.
    """
    names = table.families if by_family else table.groups.tolist() if table.tasks else table.prompts
    different = sorted(set(names))
    if len(different) < count:
        what = "families" if by_family else "different prompts"
        raise UserError(
            f"the table has {len(different)} {what}, and {number_of(count, 'fold needs', 'folds need')} {count}; give "
            "fewer: --folds"
        )
    drawn = np.random.default_rng(seed).permutation(len(different)) % count
    fold_of = dict(zip(different, drawn, strict=True))
    return np.array([fold_of[name] for name in names])


def out_of_fold_scores(table: OutcomeTable, learner: OutcomeLearner, folds: Integers) -> Floats:
    """What a learner expects of each task, having learned from the other folds."""
    scores = np.empty(table.outcomes.shape)
    for fold in np.unique(folds):
        inside, outside = np.flatnonzero(folds == fold), np.flatnonzero(folds != fold)
        learned = learner.fit(table.inputs.take(outside), table.outcomes[outside])
        scores[inside] = learned.score(table.inputs.take(inside))
    return scores


def out_of_fold_steps(table: OutcomeTable, expected: Floats, folds: Integers) -> Floats:
    """What stages add to what is expected by the text, having learned from the other folds."""
    added = np.empty(table.outcomes.shape)
    for fold in np.unique(folds):
        inside, outside = np.flatnonzero(folds == fold), np.flatnonzero(folds != fold)
        others = table.take(outside)
        learned = learn_steps(others.stages, others.outcomes, expected[outside])
        added[inside] = learned.score(table.take(inside).stages)
    return added


def evaluate(
    table: OutcomeTable,
    learners: Sequence[OutcomeLearner],
    folds: Integers,
    *,
    weak: str,
    strong: str,
    unit: Unit,
    losses: Sequence[float] = (0.0, 0.005, 0.01, 0.02),
    families_left_out: bool = False,
) -> Evaluation:
    """Args:
    table: complete, and with nothing but the models that take part.
    losses: quality floors, as losses against the best single model (shares of outcomes).
    """
    weak_place, strong_place = table.column(weak), table.column(strong)
    weak_outcomes, strong_outcomes = table.outcomes[:, weak_place], table.outcomes[:, strong_place]
    by_name = {learner.name: out_of_fold_scores(table, learner, folds) for learner in (LengthLearner(), *learners)}
    if table.stages:  # beside each what its stage adds, so that it can be seen what that is worth
        by_name |= {
            f"{name}, stages": scores + out_of_fold_steps(table, scores, folds) for name, scores in by_name.items()
        }
    gains: dict[str, Floats] = {RANDOM: np.random.default_rng(0).random(len(table))}
    gains |= {name: scores[:, strong_place] - scores[:, weak_place] for name, scores in by_name.items()}
    gains[ORACLE] = oracle_scores(weak_outcomes, strong_outcomes)
    routers = router_figures(gains, weak_outcomes, strong_outcomes, folds, LENGTH)
    floors = [
        _floor_figures(name, table, scores, folds, unit, loss) for name, scores in by_name.items() for loss in losses
    ]
    costs = table.mean_costs(unit) if unit != "calls" else unit_costs(table, unit)
    singles = {
        model: (float(table.outcomes[:, place].mean()), float(costs[place]) if np.isfinite(costs[place]) else None)
        for place, model in enumerate(table.models)
    }
    count = len(np.unique(folds))
    return Evaluation(weak, strong, len(table), count, families_left_out, routers, tuple(floors), singles)


def router_figures(
    gains: Mapping[str, Floats], weak: Floats, strong: Floats, folds: Integers, baseline: str
) -> tuple[RouterFigures, ...]:
    """The figures of several routers on the same tasks; nothing where the strong model is no better.

    Args:
        gains: of each router, what it expects to be gained by the strong model at each task.
        weak: outcomes of the one model.
        strong: outcomes of the other.
        folds: the fold of each task.
        baseline: the router that others are compared with, fold by fold.
    """
    baseline_folds = [each.apgr for each in _by_fold(gains[baseline], weak, strong, folds)]
    routers = []
    for name, expected in gains.items():
        figures = curve_figures(expected, weak, strong)
        folds_figures = _by_fold(expected, weak, strong, folds)
        of_folds = [each.apgr for each in folds_figures]
        if figures is None or not of_folds:
            continue
        to_baseline = (
            fold_difference([one - other for one, other in zip(of_folds, baseline_folds, strict=True)])
            if name != baseline and len(of_folds) > 1
            else None
        )
        means = (0.5, 50.0, 80.0) if name == RANDOM else _mean_figures(folds_figures)
        at_once = 80.0 if name == RANDOM else figures.cpt80
        routers.append(RouterFigures(name, *means, at_once, tuple(of_folds), to_baseline))
    return tuple(routers)


def _by_fold(gains: Floats, weak: Floats, strong: Floats, folds: Integers) -> list[CurveFigures]:
    """Of each fold; folds in which the strong model is no better have none."""
    figures: list[CurveFigures | None] = [
        curve_figures(gains[folds == fold], weak[folds == fold], strong[folds == fold]) for fold in np.unique(folds)
    ]
    return [each for each in figures if each is not None]


def _mean_figures(figures: Sequence[CurveFigures]) -> tuple[float, float, float]:
    apgr, cpt50, cpt80 = np.array(figures, float).mean(axis=0)
    return float(apgr), float(cpt50), float(cpt80)


def _floor_figures(
    name: str, table: OutcomeTable, scores: Floats, folds: Integers, unit: Unit, loss: float
) -> FloorFigures:
    """The rate is set on the other folds and measured on this one."""
    changes, savings = [], []
    for fold in np.unique(folds):
        inside, outside = np.flatnonzero(folds == fold), np.flatnonzero(folds != fold)
        set_on = table.take(outside)
        calibration: RateCalibration = calibrate(set_on, scores[outside], unit, loss=loss)
        costs, best = unit_costs(set_on, unit), best_model(set_on)
        models = choose(scores[inside], costs, calibration.rate)
        outcomes = table.outcomes[inside]
        changes.append(float((outcomes[np.arange(len(inside)), models] - outcomes[:, best]).mean()))
        savings.append(1 - float(costs[models].mean()) / float(costs[best]) if costs[best] > 0 else 0.0)
    return FloorFigures(name, loss, fold_difference(changes), fold_difference(savings))
