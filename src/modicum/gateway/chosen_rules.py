"""The rules of the list on live calls: those that the owner allows, less those that the task is held out of. And of all
that was chosen, which arm a task is in.
"""

from collections.abc import Collection, Mapping, Sequence

from modicum.calls import Owner
from modicum.calls.rule import Rule
from modicum.gateway.exchange import Exchange
from modicum.gateway.optimizing import FeatureFacts
from modicum.optimizers.rule_choice import CACHE_TTL, HELD_OUT_TAG, KEEP_WARM, ON_TRIAL_TAG, RuleChoice, on_trial

_ANTHROPIC = "anthropic"
_OF_ANTHROPIC = frozenset({KEEP_WARM, CACHE_TTL})
"""What acts on calls to this API alone."""
MOST_OWNERS = 10_000


class ChosenRules:
    """Brings each call the rules of its owner (`optimizing.FactSource`)."""

    name = "rules"

    def __init__(self, choice: RuleChoice) -> None:
        self._choice = choice
        self._by_owner: dict[Owner, tuple[tuple[Rule, ...], tuple[str, ...]]] = {}
        """Rules that run on an owner's calls, and the names of what has a hold-out."""

    def facts(self, exchange: Exchange) -> FeatureFacts | None:
        owner = exchange.about.owner
        known = self._by_owner.get(owner)
        if known is None:
            if len(self._by_owner) >= MOST_OWNERS:
                self._by_owner.clear()
            rules = self._choice.of_owner(owner)
            known = self._by_owner[owner] = rules, (*on_trial(rules), *self._choice.features_of(owner))
        rules, names = known
        task = exchange.about.task
        if not (names and task and self._choice.hold_out > 0):
            return FeatureFacts(rules=rules) if rules else None
        if exchange.request.served.dialect.api.name != _ANTHROPIC:
            names = tuple(name for name in names if name not in _OF_ANTHROPIC)
        held_out = frozenset(name for name in names if self._choice.holds_out(name, task))
        tags = arm_tags(exchange.tags, held_out, [name for name in names if name not in held_out])
        return FeatureFacts(rules=rules, tags=tags, without_rules=held_out)


def arm_tags(tags: Mapping[str, str], held_out: Collection[str], with_it: Collection[str]) -> dict[str, str]:
    """The tags of a call with the names of what its task is held out of, and of what it has, beside those that there
    are.
    """
    found = dict(tags)
    for tag, names in ((HELD_OUT_TAG, held_out), (ON_TRIAL_TAG, with_it)):
        if names:
            found[tag] = ",".join(sorted({*names, *filter(None, tags.get(tag, "").split(","))}))
    return found


def split_rules(rules: Sequence[Rule]) -> tuple[tuple[Rule, ...], tuple[Rule, ...]]:
    """Rules that run on every call, and those whose owner has a choice."""
    always = tuple(rule for rule in rules if rule.safety is None)
    return always, tuple(rule for rule in rules if rule.safety is not None)
