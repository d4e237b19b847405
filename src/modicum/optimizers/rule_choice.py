"""Which rules run on a call: what its owner chose, and whether its task is held out. Pure."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from modicum.calls import Owner
from modicum.calls.rule import Rule

ALL = "all"
"""In a list of rules: every one of them."""
KEEP_WARM, CACHE_TTL, BEGINNINGS, AGENT_GUARD = "keep_warm", "cache.ttl", "cache.beginnings", "guard.agents"
"""What owners choose beside the rules of the list: pings, times to live, beginnings written once, and the guard of
agents that start agents."""
HELD_OUT_TAG = "rules.held_out"
"""Calls of a task that is held out of rules carry their names in this tag."""
ON_TRIAL_TAG = "rules.on_trial"
"""Calls of a task that has rules of which others are held out carry their names in this tag, even if none acts."""

Draw = Callable[[str, str], float]
"""A number in 0..1 that a rule's name and a task decide."""


def is_held_out(name: str, task: str, share: float, draw: Draw) -> bool:
    """Whether a task goes on without this rule, to be compared with. One that has no name never does."""
    return bool(task) and share > 0 and draw(name, task) < share


def no_features(_owner: Owner) -> tuple[str, ...]:
    """Those of nobody."""
    return ()


class OwnerChoice(NamedTuple):
    """What was chosen for some owners. Empty fields fit everybody."""

    team: str = ""
    app: str = ""
    user: str = ""
    key: str = ""
    on: tuple[str, ...] = ()
    """Rules that run beside those that are on by default; a family's name, as `content`, stands for all of it."""
    off: tuple[str, ...] = ()
    """Rules that do not run; `all`: none does."""

    def is_about(self, owner: Owner) -> bool:
        return owner.fits(self.team, self.app, self.user, self.key)


class RuleChoice(NamedTuple):
    """The rules that run, by owner and task."""

    rules: tuple[Rule, ...]
    """All that there are, in their order."""
    choices: tuple[OwnerChoice, ...] = ()
    """Later ones outweigh those before them."""
    hold_out: float = 0.0
    """Share of tasks on which a rule that is not on by default does not run, so that its effect can be seen."""
    draw: Draw = lambda _rule, _task: 1.0
    features_of: Callable[[Owner], tuple[str, ...]] = no_features
    """What an owner chose beside the rules, with a hold-out of its own: `KEEP_WARM` and the like."""

    @property
    def may_run(self) -> bool:
        """Whether any rule runs on anybody's calls; where none does, calls are not looked at."""
        return any(rule.is_default for rule in self.rules) or any(choice.on for choice in self.choices)

    def is_chosen(self, rule: Rule) -> bool:
        """Whether anybody has chosen it."""
        return any(_chooses(choice.on, rule) for choice in self.choices)

    def of_owner(self, owner: Owner) -> tuple[Rule, ...]:
        """Those that run on an owner's calls."""
        return tuple(rule for rule in self.rules if self.why_off(rule, owner) == "")

    def why_off(self, rule: Rule, owner: Owner) -> str:
        """Why a rule does not run on an owner's calls; empty: it does."""
        why = "" if rule.is_default else f"it is {rule.safety or 'not weighed'}, so its owner has to choose it"
        why += " by its name" if rule.must_be_named else ""
        for choice in self.choices:
            if not choice.is_about(owner):
                continue
            if _names(choice.off, rule):
                why = "the settings switch it off"
            elif _chooses(choice.on, rule):
                why = ""
        return why

    def held_out(self, rules: Sequence[Rule], task: str) -> frozenset[str]:
        """Those of these rules that do not run on this task, to be compared with."""
        return frozenset(name for name in on_trial(rules) if self.holds_out(name, task))

    def holds_out(self, name: str, task: str) -> bool:
        """Whether a rule or feature that was chosen does not act on this task."""
        return is_held_out(name, task, self.hold_out, self.draw)


def on_trial(rules: Sequence[Rule]) -> tuple[str, ...]:
    """The names of those that were chosen: rules that are on by default lose nothing, and hold no task out."""
    return tuple(rule.name for rule in rules if not rule.is_default)


def _names(names: Sequence[str], rule: Rule) -> bool:
    family = rule.name.partition(".")[0]
    return any(name in {ALL, rule.name, family} for name in names)


def _chooses(names: Sequence[str], rule: Rule) -> bool:
    return rule.name in names if rule.must_be_named else _names(names, rule)
