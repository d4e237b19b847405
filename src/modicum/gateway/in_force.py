"""What settings say and a reload replaces, as one object: it is exchanged whole, never in parts."""

from collections.abc import Callable
from typing import NamedTuple

from modicum.calls.rule import Rule
from modicum.gateway.answering import Answerer, first_active
from modicum.gateway.callers.attribution import Attribution
from modicum.gateway.callers.owners import Owners
from modicum.gateway.chosen_rules import ChosenRules
from modicum.gateway.http.outcomes import Graded
from modicum.gateway.optimizing import FactSource
from modicum.gateway.upstreams import Route, Upstreams
from modicum.gateway.warming.keeper import CacheKeeper
from modicum.gateway.warming.lifetimes import CacheLifetimes


class InForce(NamedTuple):
    owners: Owners
    upstreams: Upstreams
    sources: tuple[FactSource, ...] = ()
    """What features know of calls; they bring rules for those that concern them."""
    rules: tuple[Rule, ...] = ()
    """Run on every call, in this order."""
    answerers: tuple[Answerer, ...] = ()
    """Who is asked for a reply before the upstream is, in this order."""
    graded: Graded | None = None
    """Who wants to know of outcomes."""
    has_fallbacks: bool = False
    """Whether a call may go elsewhere where its upstream fails, or is full."""
    keeper: CacheKeeper | None = None
    """Keeps caches warm, where that was chosen for anybody."""
    lifetimes: CacheLifetimes | None = None
    """Chooses times to live of caches, where that was chosen for anybody."""

    def route_finder(self, about: Attribution, number: str) -> Callable[[str, str], Route]:
        """Finds the way of a call to a model, in a dialect. Where upstreams have weights, calls of one conversation go
        the same way.
        """
        if not self.upstreams.has_weights:
            return self.upstreams.route
        key = about.conversation or about.task or number
        return lambda model, dialect: self.upstreams.spread(model, dialect, key)

    @property
    def may_divert(self) -> bool:
        """Whether a call may go elsewhere than its model says, or nowhere."""
        sources = (source for source in self.sources if not isinstance(source, ChosenRules))  # these change texts
        return any(sources) or bool(self.rules or self.answerers or self.has_fallbacks)


class CallPlan(NamedTuple):
    """What calls go through, worked out once when settings change: what is switched off is not in it, so that no call
    asks whether it is on.
    """

    in_force: InForce
    sources: tuple[FactSource, ...]
    rules: tuple[Rule, ...]
    answerers: tuple[Answerer, ...]
    """Who may answer in the upstream's place, in this order."""
    upstream: Answerer
    """Answers what nobody else has answered: the first of those that pass calls on and has a reason to stand there."""
    may_be_changed: bool
    """Whether a rule may run on a call."""
    may_divert: bool
    is_plain: bool = False
    """Its calls are of no feature's and no rule's business."""


def plan_calls(in_force: InForce, upstream: Answerer) -> CallPlan:
    """The plan of calls of every caller but a plan's. `upstream` answers every call."""
    sources, rules = in_force.sources, in_force.rules
    return CallPlan(
        in_force,
        sources,
        rules,
        in_force.answerers,
        first_active(upstream),
        bool(sources or rules),
        in_force.may_divert,
    )


def plan_plain_calls(in_force: InForce, upstream: Answerer) -> CallPlan:
    """The plan of calls of ours and of a plan's: reserved and recorded as every other, and changed by nobody."""
    return plan_calls(in_force._replace(sources=(), rules=(), answerers=()), upstream)._replace(is_plain=True)
