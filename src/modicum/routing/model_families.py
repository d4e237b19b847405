"""How a router does with models that it was not trained on: a family of models is left out, and the others teach.

What is learned is which prompts need the better model of a family rather than its cheapest one, of all other families
together; it is measured on the family that was left out, and on tasks that were left out too.
"""

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from modicum.calls import UserError
from modicum.routing.calibration import Unit, unit_costs
from modicum.routing.curve import oracle_scores
from modicum.routing.evaluation import LENGTH, ORACLE, RANDOM, RouterFigures, out_of_fold_scores, router_figures
from modicum.routing.learners.learner import OutcomeLearner
from modicum.routing.learners.length import LengthLearner
from modicum.routing.outcome_table import OutcomeTable
from modicum.routing.sparse_rows import Floats, Integers

_WORD = re.compile(r"[a-z]+")
_SAME = {
    "o": "gpt",
    "chatgpt": "gpt",
    "meta": "llama",
    **dict.fromkeys(("mixtral", "ministral", "codestral", "magistral", "open"), "mistral"),
    "gemma": "gemini",
    "qwq": "qwen",
}
"""Beginnings of names that are one maker's."""


@dataclass(frozen=True)
class LeftOutFamily:
    """A family of models that nothing was learned from."""

    family: str
    weak: str
    strong: str
    routers: tuple[RouterFigures, ...]
    """Empty where the strong model is no better."""


def family_of_model(model: str) -> str:
    """The first word of a model's name, without its seller; of makers with several names one of them."""
    word = _WORD.search(model.rpartition("/")[2].lower())
    name = word.group() if word else model.lower()
    return _SAME.get(name, name)


def pair_families(table: OutcomeTable, unit: Unit) -> dict[str, tuple[str, str]]:
    """Of each family with two models or more its cheapest and, of the others, its best one.

    Args:
        table: complete.
        unit: what is cheap is told by; `calls`: nobody knows it, and the worst is taken for the cheapest.
    """
    means = table.outcomes.mean(axis=0)
    costs = means if unit == "calls" else unit_costs(table, unit)
    members: dict[str, list[int]] = defaultdict(list)
    for place, model in enumerate(table.models):
        members[family_of_model(model)].append(place)
    pairs = {}
    for family, places in members.items():
        weak = min(places, key=lambda place: costs[place])
        others = [place for place in places if place != weak]
        if others:
            strong = max(others, key=lambda place: means[place])
            pairs[family] = table.models[weak], table.models[strong]
    return pairs


def evaluate_left_out_families(
    table: OutcomeTable, learners: Sequence[OutcomeLearner], folds: Integers, unit: Unit
) -> list[LeftOutFamily]:
    """Args:
    table: complete.
    folds: tasks that are left out together.

    Raises:
        UserError: there are not two families with two models each.
    """
    pairs = pair_families(table, unit)
    if len(pairs) < 2:
        raise UserError(
            f"leaving out a family of models needs two families with two models each, and the table has {len(pairs)}; "
            "families are told by the first word of a model's name"
        )
    left_out = []
    for family, (weak, strong) in pairs.items():
        others = [pair for other, pair in pairs.items() if other != family]
        tiers = OutcomeTable(("cheapest", "best"), table.prompts, _mean_tiers(table, others), table.families)
        tiers.__dict__["inputs"] = table.inputs
        of_weak, of_strong = table.select((weak, strong)).outcomes.T
        gains: dict[str, Floats] = {RANDOM: np.random.default_rng(0).random(len(table))}
        for learner in (LengthLearner(), *learners):
            scores = out_of_fold_scores(tiers, learner, folds)
            gains[learner.name] = scores[:, 1] - scores[:, 0]
        gains[ORACLE] = oracle_scores(of_weak, of_strong)
        left_out.append(LeftOutFamily(family, weak, strong, router_figures(gains, of_weak, of_strong, folds, LENGTH)))
    return left_out


def _mean_tiers(table: OutcomeTable, pairs: Sequence[tuple[str, str]]) -> Floats:
    """How good the cheapest and the best models of these families are at each task, on the mean."""
    return np.stack(
        [np.mean([table.outcomes[:, table.column(pair[tier])] for pair in pairs], axis=0) for tier in (0, 1)], axis=1
    )
