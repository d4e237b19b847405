"""The decision: one prompt in, one model out. Pure, and on doubt the best single model."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import msgspec
import numpy as np

from modicum.routing.calibration import Unit
from modicum.routing.familiar_words import FamiliarWords
from modicum.routing.inputs import pack_features
from modicum.routing.learners.learner import Scorer
from modicum.routing.sparse_rows import Floats
from modicum.routing.stage import AgentStep
from modicum.routing.step_scorer import StepScorer
from modicum.routing.text_features import read_text

MOST_FOREIGN = 0.3
"""Share of bytes outside ASCII beyond which a prompt is in another script than the training, unless that had it too."""
MEASURED_FOREIGN = 6
_ALL_UP_TO = 16


class Provenance(msgspec.Struct, frozen=True, kw_only=True):
    """Where weights come from, and until when they hold."""

    trained_on: date
    expires_on: date
    source: str
    """What was learned from, in a person's words: file names or the ledger, without any text of prompts."""
    learner: str
    tasks_count: int
    outcome: float
    """What was reached on prompts that were not learned from, at this rate."""
    best_single_outcome: float
    saving: float | None
    apgr: float | None = None


class RouterTerms(msgspec.Struct, frozen=True, kw_only=True):
    """What a router knows beside its weights."""

    models: tuple[str, ...]
    costs: tuple[float, ...]
    """Of a mean reply of each, in `unit`, when it was trained."""
    unit: Unit
    rate: float
    """Outcome that one unit of cost must add."""
    best_single: str
    most_foreign: float
    """The greatest share of bytes outside ASCII among all but the oddest prompts of the training."""
    provenance: Provenance
    prices: tuple[float, ...] = ()
    """Of each model, dollars per token when it was trained (`rule.mean_price`); 0 or nothing: nobody knew."""
    familiar: FamiliarWords | None = None
    """Words that a prompt in the language of the training has; None: an earlier version trained it."""


@dataclass(frozen=True)
class RoutingChoice:
    model: str
    why: str
    scores: tuple[float, ...] = ()
    """The outcome that is expected of each model; empty where nothing was learned for this prompt."""


@dataclass(frozen=True)
class Router:
    """Args:
    scorer: what was learned.
    terms: at which terms it is used.
    step_scorer: what was learned of stages; None: nothing.
    """

    scorer: Scorer
    terms: RouterTerms
    step_scorer: StepScorer | None = None

    def decide(
        self,
        prompt: str,
        *,
        today: date,
        allows: Callable[[str], bool] | None = None,
        price_factors: Mapping[str, float] | None = None,
        current: str = "",
        switch_cost: float = 0.0,
    ) -> RoutingChoice:
        """The model for a prompt.

        Args:
            prompt: what is asked for: a conversation's last message of its user.
            today: for the expiry.
            allows: whether a model may be asked (policy, keys, models that have vanished).
            price_factors: by which a model's price has changed since the training.
            current: the model of this task so far: another one has to be worth `switch_cost` more.
            switch_cost: of losing the prompt cache, in the router's unit.
        """
        terms = self.terms
        open_models = [place for place, model in enumerate(terms.models) if allows is None or allows(model)]
        if not open_models:
            return RoutingChoice("", "no model of the router may be asked: the call goes as it came")
        safe = terms.best_single if terms.models.index(terms.best_single) in open_models else ""
        if today > terms.provenance.expires_on:
            return RoutingChoice(safe, f"the weights expired on {terms.provenance.expires_on}: the best single model")
        features = read_text(prompt)
        if features.measures[MEASURED_FOREIGN] > max(MOST_FOREIGN, terms.most_foreign):
            return RoutingChoice(safe, "another script than the training: the best single model")
        if terms.familiar is not None and not terms.familiar.are_in(features.words):
            return RoutingChoice(safe, "hardly a word of the training, another language maybe: the best single model")
        scores = self.scorer.score(pack_features([features]))[0]
        if not np.isfinite(scores).all():
            return RoutingChoice(safe, "the weights say nothing of this prompt: the best single model")
        costs = _costs_today(terms, price_factors)
        if current in terms.models and switch_cost > 0:
            costs = costs + np.array([0.0 if model == current else switch_cost for model in terms.models])
        worth = scores - terms.rate * costs
        chosen = max(open_models, key=lambda place: worth[place])
        return RoutingChoice(terms.models[chosen], _reason(terms, chosen, current), tuple(map(float, scores)))

    def follow(
        self,
        prompt: str,
        steps: Sequence[AgentStep],
        switch_cost: Callable[[str, str, int], float | None],
        *,
        today: date,
        allows: Callable[[str], bool] | None = None,
        price_factors: Mapping[str, float] | None = None,
        current: str = "",
    ) -> RoutingChoice:
        """The model for the last step of a conversation.

        The steps before are decided anew, in their order, each from the model that the one before came to: the same
        conversation comes to the same model in every process, and after a restart, without any memory.

        Args:
            prompt: what was asked for: a conversation's first message of its user.
            steps: of the conversation, the one to come last.
            switch_cost: of going from the one model to the other when the prompt has so many tokens, in the router's
                unit; None: nobody knows, and the model is not changed.
            today: as for `decide`.
            allows: likewise.
            price_factors: likewise.
            current: the model where the conversation stands, if no router chose it.
        """
        first = self.decide(prompt, today=today, allows=allows, price_factors=price_factors)
        if self.step_scorer is None or not first.scores:
            return first
        models = self.terms.models
        open_places = [place for place, model in enumerate(models) if allows is None or allows(model)]
        followed = [step for number, step in enumerate(steps) if is_followed(number)] if not current else steps[-1:]
        added = self.step_scorer.score([step.stage for step in followed])
        worth = np.array(first.scores) + added - self.terms.rate * _costs_today(self.terms, price_factors)
        place = models.index(current) if current in models else max(open_places, key=lambda one: worth[0][one])
        why = _reason(self.terms, place, current)
        best = np.array(open_places)[worth[:, open_places].argmax(axis=1)].tolist()
        for number in range(0 if current else 1, len(followed)):
            step = followed[number]
            if best[number] == place:
                continue
            if (found := self._leave(place, worth[number], step, open_places, switch_cost)) is not None:
                place, price = found
                why = _describe_switch(step, price, self.terms.unit)
        return RoutingChoice(models[place], why, tuple(map(float, np.array(first.scores) + added[-1])))

    def _leave(
        self,
        place: int,
        worth: Floats,
        step: AgentStep,
        open_places: Sequence[int],
        switch_cost: Callable[[str, str, int], float | None],
    ) -> tuple[int, float] | None:
        """The model for which this one is left at a step, and the price of that; None: it stays."""
        best: tuple[int, float] | None = None
        most = 0.0
        for other in open_places:
            if worth[other] <= worth[place] + most:
                continue
            price = switch_cost(self.terms.models[place], self.terms.models[other], step.tokens)
            if price is not None and (gained := worth[other] - worth[place] - self.terms.rate * price) > most:
                best, most = (other, price), float(gained)
        return best


def is_followed(number: int) -> bool:
    """Whether the model may be changed at the step of this number: the first sixteen, then eight of each doubling, so
    that a long conversation costs no more time than a short one.
    """
    return number < _ALL_UP_TO or number % 2 ** (number.bit_length() - 4) == 0


def _describe_switch(step: AgentStep, price: float, unit: Unit) -> str:
    stage = step.stage
    results = "1 tool result" if stage.depth == 1 else f"{stage.depth} tool results"
    amount = f"${price:.4f}" if unit == "usd" else f"{price:.3g} {unit}"
    return f"{stage.phase.value}, {results}, {stage.errors} failed: worth the {amount} of prompt cache lost"


def _costs_today(terms: RouterTerms, factors: Mapping[str, float] | None) -> Floats:
    costs = np.array(terms.costs)
    if factors and terms.unit == "usd":
        costs *= [factors.get(model, 1.0) for model in terms.models]
    return costs


def _reason(terms: RouterTerms, chosen: int, current: str) -> str:
    model = terms.models[chosen]
    if model == current:
        return "worth most, with the prompt cache that this task has there"
    return "worth most of what is expected of each model, at its cost"
