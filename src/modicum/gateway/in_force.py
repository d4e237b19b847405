"""What settings say and a reload replaces, as one object: it is exchanged whole, never in parts."""

from collections.abc import Callable
from typing import NamedTuple

from modicum.calls.rule import Rule
from modicum.gateway.answering import Answerer
from modicum.gateway.callers.attribution import Attribution
from modicum.gateway.callers.owners import Owners
from modicum.gateway.chosen_rules import ChosenRules
from modicum.gateway.http.outcomes import Graded
from modicum.gateway.optimizing import FactSource
from modicum.gateway.upstreams import Route, Upstreams


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
