"""Rules run on a request inside a program of the user's, without a gateway: the same rules, by the same code."""

from collections.abc import Sequence
from typing import NamedTuple

from modicum.calls import UserError
from modicum.calls.facts import Facts
from modicum.calls.rule import Rule, RuleDecision
from modicum.optimizers import DEFAULT_RULES
from modicum.optimizers.running import RequestCall, run_rules
from modicum.providers.dialects import DIALECTS


class RuledRequest(NamedTuple):
    """A request as the rules left it."""

    body: bytes
    """The very bytes that were given, where no rule changed anything."""
    model: str
    """The model that is to be asked. It is not written into the body: some APIs have it in the path."""
    decisions: tuple[RuleDecision, ...]
    """What became of each rule; of one that wants nothing there is none."""


def apply_rules(dialect: str, body: bytes, facts: Facts, rules: Sequence[Rule] = DEFAULT_RULES) -> RuledRequest:
    """Runs rules on the body of a request, before it is sent: those that are on by default, if none are named.

    `dialect` is our name of its API, as `DIALECTS` lists them; what the program leaves out of `facts`, rules do
    without.

    Raises:
        UserError: there is no such dialect.
    """
    if dialect not in DIALECTS:
        raise UserError(f"there is no dialect '{dialect}'; there are {', '.join(DIALECTS)}")
    call = RequestCall(DIALECTS[dialect], body, facts)
    decisions = run_rules(rules, call)
    return RuledRequest(call.body, call.facts.model, tuple(decisions))
