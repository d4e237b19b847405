"""Cascades: a cheap model first, and a dearer one only where a verifier does not believe the answer.

A verifier is a test, a schema, a judge, or a second cheap model that has to say the same. It errs, so its own error
rates are estimated from tasks whose outcome is known, and the cascade is chosen by what it reached, errors included.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, permutations

import numpy as np
from numpy.typing import NDArray

from modicum.routing.sparse_rows import Floats
from modicum.statistics.proportions import wilson

Booleans = NDArray[np.bool_]


@dataclass(frozen=True)
class Strategy:
    """Models that are called in turn until the answer is believed.

    `first` are called together. If those agree, the answer is theirs; else `then` is called, and so on: an answer that
    two models gave is believed, and that of the last one always.
    """

    first: tuple[int, ...]
    then: tuple[int, ...] = ()

    def name(self, models: Sequence[str]) -> str:
        first = " + ".join(models[each] for each in self.first)
        return " -> ".join((first, *(models[each] for each in self.then)))


@dataclass(frozen=True)
class StrategyResult:
    """What a strategy came to at each task."""

    outcomes: Floats
    costs: Floats


@dataclass(frozen=True)
class VerifierErrors:
    """How often a verifier errs, with 95 % intervals (Wilson)."""

    accepts_wrong: float
    accepts_wrong_interval: tuple[float, float]
    refuses_right: float
    refuses_right_interval: tuple[float, float]
    tasks_count: int


def apply_strategy(strategy: Strategy, outcomes: Floats, costs: Floats, same: NDArray[np.bool_]) -> StrategyResult:
    """Args:
    outcomes, costs: a row per task, a column per model.
    same: [task, model, model]: whether two models gave the same answer.
    """
    rows = np.arange(len(outcomes))
    first = list(strategy.first)
    spent = costs[:, first].sum(axis=1)
    chosen = np.full(len(outcomes), first[0])
    believed = np.full(len(outcomes), not strategy.then)
    if len(first) > 1 and strategy.then:
        believed = same[:, first[0], first[1]].copy()
    called = list(first)
    for place, model in enumerate(strategy.then):
        spent = spent + np.where(believed, 0.0, costs[:, model])
        agrees = np.zeros(len(outcomes), bool)
        for earlier in called:
            agrees |= same[:, earlier, model]
        is_last = place == len(strategy.then) - 1
        chosen = np.where(believed, chosen, model)
        believed = believed | agrees | is_last
        called.append(model)
    return StrategyResult(outcomes[rows, chosen], spent)


def same_answers(answers: Sequence[Sequence[str | None]]) -> NDArray[np.bool_]:
    """[task, model, model]: whether both gave an answer and the same one."""
    codes: dict[str, int] = {}
    coded = np.array([[-1 if not each else codes.setdefault(each, len(codes)) for each in row] for row in answers])
    same: Booleans = (coded[:, :, None] == coded[:, None, :]) & (coded[:, :, None] >= 0)
    return same


def agreement_strategies(mean_costs: Floats, *, most_cost: float) -> Iterator[Strategy]:
    """Single models, two that have to agree before a third, and a fourth where the third agrees with neither.

    Args:
        mean_costs: of one call of each model; one of unknown cost takes no part.
        most_cost: strategies whose first calls alone cost this or more are left out: they cannot save anything.
    """
    known = [model for model in range(len(mean_costs)) if np.isfinite(mean_costs[model])]
    for model in known:
        yield Strategy((model,))
    for pair in combinations(known, 2):
        if mean_costs[list(pair)].sum() >= most_cost:
            continue
        rest = [model for model in known if model not in pair]
        for model in rest:
            yield Strategy(pair, (model,))
        for then in permutations(rest, 2):
            if mean_costs[list(pair)].sum() + mean_costs[then[0]] < most_cost:
                yield Strategy(pair, then)


@dataclass(frozen=True)
class ChosenStrategy:
    strategy: Strategy
    saving: float
    """Share of the best single model's cost, on the tasks that it was chosen on."""
    loss_bound: float
    """The loss against the best single model that is ruled out there, as a share of outcomes."""


def stack_results(results: Sequence[StrategyResult]) -> StrategyResult:
    """The same with a row per strategy and a column per task, to choose among thousands at once."""
    return StrategyResult(np.stack([each.outcomes for each in results]), np.stack([each.costs for each in results]))


def choose_strategy(
    strategies: Sequence[Strategy],
    results: StrategyResult,
    baseline: StrategyResult,
    *,
    loss: float,
    caution: float = 1.0,
) -> ChosenStrategy | None:
    """The cheapest strategy that loses no more than `loss` against the baseline, with a margin for luck.

    Of thousands of strategies some look good by luck alone, so that much of the standard error of the paired
    difference is taken off (`caution` times). None: no strategy passes.

    Args:
        strategies: to choose among.
        results: theirs, as `stack_results` gives them.
        baseline: of the best single model, on the same tasks.
        loss: what may be lost, as a share of outcomes.
        caution: standard errors that are taken off.
    """
    change = results.outcomes - baseline.outcomes
    bounds = change.mean(axis=1) - caution * change.std(axis=1) / change.shape[1] ** 0.5
    savings = 1 - results.costs.mean(axis=1) / float(baseline.costs.mean())
    passing = np.flatnonzero(bounds >= -loss)
    if not len(passing):
        return None
    best = passing[np.argmax(savings[passing])]
    return ChosenStrategy(strategies[best], float(savings[best]), -float(bounds[best]))


def verifier_errors(accepted: Booleans, right: Booleans) -> VerifierErrors:
    """How often a verifier errs, from tasks whose outcome is known.

    Args:
        accepted: whether the verifier believed the cheap model's answer.
        right: whether it was right.
    """
    wrong = ~right
    passed_wrong, refused_right = int((accepted & wrong).sum()), int((~accepted & right).sum())
    return VerifierErrors(
        passed_wrong / max(1, int(wrong.sum())),
        wilson(passed_wrong, int(wrong.sum())) if wrong.any() else (0.0, 1.0),
        refused_right / max(1, int(right.sum())),
        wilson(refused_right, int(right.sum())) if right.any() else (0.0, 1.0),
        len(right),
    )


def verified_cascade(
    cheap: StrategyResult, dear: StrategyResult, accepted: Booleans, *, verifier_cost: float = 0.0
) -> StrategyResult:
    """What a cascade came to whose verifier believed these answers."""
    outcomes = np.where(accepted, cheap.outcomes, dear.outcomes)
    return StrategyResult(outcomes, cheap.costs + verifier_cost + np.where(accepted, 0.0, dear.costs))


def expected_cascade(
    cheap: tuple[float, float], dear: tuple[float, float], errors: VerifierErrors, *, verifier_cost: float = 0.0
) -> tuple[float, float]:
    """Outcome and cost per task of a cascade before it is run, from success and cost of both models.

    Where the dear model is as good at tasks that the cheap one fails as at others, this is what to expect; mostly it is
    worse at them, so the outcome is an upper bound.
    """
    refused = cheap[0] * errors.refuses_right + (1 - cheap[0]) * (1 - errors.accepts_wrong)
    outcome = cheap[0] * (1 - errors.refuses_right) + refused * dear[0]
    return min(1.0, outcome), cheap[1] + verifier_cost + refused * dear[1]
