"""A router as a rule (`calls/rule.py`): the gateway, a user's own program and a replay with text run the same one.

It keeps no memory: a conversation is decided by the first message of its user, so that every later call comes to the
same model and the prompt cache is kept. Tools that fail change it, and their failures stay in the conversation; so do
its stages, where a router has learned what these say.
"""

from fnmatch import fnmatchcase
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from modicum.calls.anatomy import SegmentKind
from modicum.calls.change import NO_CHANGE, Change
from modicum.calls.facts import Facts
from modicum.calls.prompt import Prompt
from modicum.calls.rates import Rates
from modicum.calls.rule import NotDecidable, Rule
from modicum.calls.words.counted_nouns import number_of
from modicum.routing.stage import read_stage, read_steps

if TYPE_CHECKING:  # a gateway without a router does without numpy
    from modicum.routing.router import Router, RoutingChoice

FAMILY = "route."
CASCADE_FAMILY = "cascade."


class GoneModels(NamedTuple):
    """Models that an upstream no longer knows."""

    models: frozenset[str]


def may_ask(facts: Facts, model: str) -> bool:
    """Whether a call may be moved there: its key allows it, and there is such a model."""
    gone = facts.of(GoneModels)
    return facts.allows(model) and (gone is None or model not in gone.models)


def route_rule(name: str, router: "Router", pattern: str) -> Rule:
    """The rule `route.NAME`.

    Args:
        name: of the router, in the settings.
        router: what was learned.
        pattern: of the models that callers ask for and whose calls may be sent elsewhere.
    """

    def decide(prompt: Prompt, facts: Facts) -> Change | NotDecidable:
        if not fnmatchcase(facts.model, pattern):
            return NO_CHANGE
        if not prompt.is_known:
            return NotDecidable("the prompt's text")
        text = first_message(prompt)
        if text is None:
            return NO_CHANGE
        choice = _choose(prompt, facts, router, text, FAMILY + name)
        model, why = choice.model, choice.why
        best = router.terms.best_single
        stage = read_stage(prompt.units)
        if model and stage.needs_best and model != best and may_ask(facts, best):
            if (loss := cache_loss_usd(facts, model, best)) is not None:
                why = (
                    f"{number_of(stage.errors, 'tool')} failed: the best single "
                    f"model, for ${loss:.4f} of prompt cache lost"
                )
            else:
                why = f"{number_of(stage.errors, 'tool')} failed: the best single model"
            model = best
        if not model or model == facts.model:
            return NO_CHANGE
        return Change(model=model, why=f"route {name}: {why}")

    return Rule(FAMILY + name, decide)


def _choose(prompt: Prompt, facts: Facts, router: "Router", text: str, rule_name: str) -> "RoutingChoice":
    """By the task's text, and by the stage where that was learned too."""
    current, switch_cost = cost_of_leaving(facts, router, rule_name)
    today, allows, factors = facts.at.date(), partial(may_ask, facts), price_factors(facts, router)
    if router.step_scorer is None:
        return router.decide(
            text, today=today, allows=allows, price_factors=factors, current=current, switch_cost=switch_cost
        )
    price = partial(switch_cost_usd, facts) if router.terms.unit == "usd" else _unknown_cost
    return router.follow(
        text, read_steps(prompt.units), price, today=today, allows=allows, price_factors=factors, current=current
    )


def switch_cost_usd(facts: Facts, current: str, other: str, tokens: int) -> float | None:
    """What it costs to go on with another model when the prompt has so many tokens, all of them in the one's cache.

    None: nobody knows the rates of the day.
    """
    if facts.rates is None:
        return None
    before, after = facts.rates(current), facts.rates(other)
    if before is None or after is None:
        return None
    return max(0.0, tokens * float(after.input_uncached - before.cache_read))


def _unknown_cost(_current: str, _other: str, _tokens: int) -> float | None:
    """Of seconds and joules nobody knows what a prompt cache saves."""
    return None


def cascade_rule(name: str, first: str, pattern: str) -> Rule:
    """The rule `cascade.NAME`: a cheap model is asked first. Whether its answer is believed, and what comes then, is
    for whoever sends the call.

    Args:
        name: of the cascade, in the settings.
        first: the cheap model.
        pattern: of the models whose calls begin there.
    """
    rule_name = CASCADE_FAMILY + name
    change = Change(model=first, why=f"cascade {name}: asks {first} first")

    def decide(prompt: Prompt, facts: Facts) -> Change | NotDecidable:
        if facts.model == first or not fnmatchcase(facts.model, pattern) or not may_ask(facts, first):
            return NO_CHANGE
        if facts.streams or facts.choices_count > 1:
            return NotDecidable("one whole reply: nothing can judge it before it is passed on")
        if read_stage(prompt.units).needs_best:
            return NO_CHANGE
        is_there = facts.rules_before is not None and rule_name in facts.rules_before
        loss = None if is_there else cache_loss_usd(facts, facts.model, first)
        return NO_CHANGE if loss else change

    return Rule(rule_name, decide)


def first_message(prompt: Prompt) -> str | None:
    """What the user asked first; None: nothing that is text."""
    return next((unit.text for unit in prompt.units if unit.kind is SegmentKind.USER and unit.text), None)


def cost_of_leaving(facts: Facts, router: "Router", rule_name: str) -> tuple[str, float]:
    """The model in whose cache a conversation stands, if no router had moved it there, and the greatest price of
    leaving it at the rates of the day. Nothing where nobody knows, and for routers that do not weigh dollars.
    """
    terms = router.terms
    if facts.rules_before is None or rule_name in facts.rules_before or terms.unit != "usd":
        return "", 0.0
    if facts.model not in terms.models:
        return "", 0.0
    losses = [cache_loss_usd(facts, facts.model, model) or 0.0 for model in terms.models if model != facts.model]
    return (facts.model, max(losses)) if losses and max(losses) > 0 else ("", 0.0)


def price_factors(facts: Facts, router: "Router") -> dict[str, float]:
    """By how much the models' prices have changed since the training, for those of which both are known."""
    if facts.rates is None:
        return {}
    factors = {}
    for model, before in zip(router.terms.models, router.terms.prices, strict=False):
        today = facts.rates(model)
        if today is not None and before > 0:
            factors[model] = mean_price(today) / before
    return factors


def mean_price(rates: Rates) -> float:
    """Dollars per token, three of the input to one of the output: what prices of two days are compared by."""
    return float(3 * rates.input_uncached + rates.output_visible) / 4


def cache_loss_usd(facts: Facts, current: str, other: str) -> float | None:
    """What it costs to change the model now: what stands in the one's cache is paid as new input of the other.

    None: nobody knows the rates of the day, or what is cached.
    """
    return None if facts.cached_tokens is None else switch_cost_usd(facts, current, other, facts.cached_tokens)
