"""The rules of the list on live calls: those that the owner allows, less those that the task is held out of."""

from collections.abc import Sequence

from modicum.calls import Owner
from modicum.calls.rule import Rule
from modicum.gateway.exchange import Exchange
from modicum.gateway.optimizing import FeatureFacts
from modicum.optimizers.rule_choice import RuleChoice

TAG = "rules.held_out"
"""Calls of a task that is held out of rules carry their names in this tag."""
MOST_OWNERS = 10_000


class ChosenRules:
    """Brings each call the rules of its owner (`optimizing.FactSource`)."""

    name = "rules"

    def __init__(self, choice: RuleChoice) -> None:
        self._choice = choice
        self._by_owner: dict[Owner, FeatureFacts | None] = {}

    def facts(self, exchange: Exchange) -> FeatureFacts | None:
        owner, task = exchange.about.owner, exchange.about.task
        if owner not in self._by_owner:
            if len(self._by_owner) >= MOST_OWNERS:
                self._by_owner.clear()
            rules = self._choice.of_owner(owner)
            self._by_owner[owner] = FeatureFacts(rules=rules) if rules else None
        found = self._by_owner[owner]
        if found is None or not task:
            return found
        held_out = self._choice.held_out(found.rules, task)
        if not held_out:
            return found
        return found._replace(tags={TAG: ",".join(sorted(held_out))}, without_rules=held_out)


def split_rules(rules: Sequence[Rule]) -> tuple[tuple[Rule, ...], tuple[Rule, ...]]:
    """Rules that run on every call, and those whose owner has a choice."""
    always = tuple(rule for rule in rules if rule.safety is None)
    return always, tuple(rule for rule in rules if rule.safety is not None)
