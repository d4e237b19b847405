"""A router as a rule (`calls/rule.py`): the gateway, a user's own program and a replay with text run the same one.

It keeps no memory: a conversation is decided by the first message of its user, so that every later call comes to the
same model and the prompt cache is kept. Only tools that fail change it, and their failures stay in the conversation.
"""

from fnmatch import fnmatchcase

from modicum.calls.anatomy import SegmentKind
from modicum.calls.change import NO_CHANGE, Change
from modicum.calls.facts import Facts
from modicum.calls.prompt import Prompt
from modicum.calls.rule import NotDecidable, Rule
from modicum.routing.router import Router
from modicum.routing.stage import read_stage

FAMILY = "route."


def route_rule(name: str, router: Router, pattern: str) -> Rule:
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
        choice = router.decide(text, today=facts.at.date(), allows=facts.allows)
        model, why = choice.model, choice.why
        best = router.terms.best_single
        stage = read_stage(prompt.units)
        if model and stage.needs_best and model != best and facts.allows(best):
            if (loss := cache_loss_usd(facts, model, best)) is not None:
                why = f"{stage.errors} tools failed: the best single model, for ${loss:.4f} of prompt cache lost"
            else:
                why = f"{stage.errors} tools failed: the best single model"
            model = best
        if not model or model == facts.model:
            return NO_CHANGE
        return Change(model=model, why=f"route {name}: {why}")

    return Rule(FAMILY + name, decide)


def first_message(prompt: Prompt) -> str | None:
    """What the user asked first; None: nothing that is text."""
    return next((unit.text for unit in prompt.units if unit.kind is SegmentKind.USER and unit.text), None)


def cache_loss_usd(facts: Facts, current: str, other: str) -> float | None:
    """What it costs to change the model now: what stands in the one's cache is paid as new input of the other.

    None: nobody knows the rates of the day, or what is cached.
    """
    if facts.rates is None or facts.cached_tokens is None:
        return None
    before, after = facts.rates(current), facts.rates(other)
    if before is None or after is None:
        return None
    return max(0.0, facts.cached_tokens * float(after.input_uncached - before.cache_read))
