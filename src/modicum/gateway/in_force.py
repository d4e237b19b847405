"""What settings say and a reload replaces, as one object: it is exchanged whole, never in parts."""

from typing import NamedTuple

from modicum.calls.rule import Rule
from modicum.gateway.answering import Answerer
from modicum.gateway.callers.owners import Owners
from modicum.gateway.http.outcomes import Graded
from modicum.gateway.optimizing import FactSource
from modicum.gateway.upstreams import Upstreams


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

    @property
    def may_divert(self) -> bool:
        """Whether a call may go elsewhere than its model says, or nowhere."""
        return bool(self.sources or self.rules or self.answerers)
