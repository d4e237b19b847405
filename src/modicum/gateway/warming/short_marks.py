"""Time to live by kind of task: caches that pings keep warm, and those of agents within a task, are written for five
minutes. An hour's write costs more. Pings make it needless, and an agent within a task makes no long pause and ends
with its work.
"""

from collections.abc import Callable

from modicum.calls import Owner
from modicum.calls.change import Change
from modicum.calls.facts import Facts
from modicum.calls.prompt import Prompt
from modicum.calls.rule import Rule
from modicum.gateway.exchange import Exchange
from modicum.gateway.optimizing import FeatureFacts
from modicum.gateway.warming.pings import is_billed_by_use, make_ping

_CHANGE = Change(shortens_cache_marks=True, why="five minutes are enough for what is pinged and for agents in a task")
_ONE_HOUR = b'"1h"'


def shorten(prompt: Prompt, facts: Facts) -> Change:  # noqa: ARG001 - a rule's shape
    """Asks for the shorter time."""
    return _CHANGE


SHORT_MARKS = Rule("cache.short_marks", shorten)


class ShortMarks:
    """Brings the rule to calls whose conversation will be pinged, or ends with its work (`optimizing.FactSource`).

    Args:
        wants: whether an owner chose that caches are kept warm, and a task of his is not held out of it.
    """

    name = "keep_warm"

    def __init__(self, wants: Callable[[Owner, str], bool]) -> None:
        self._wants = wants

    def facts(self, exchange: Exchange) -> FeatureFacts | None:
        about = exchange.about
        if exchange.translation is not None or _ONE_HOUR not in exchange.edited:
            return None
        if not self._wants(about.owner, about.task) or not is_billed_by_use(exchange):
            return None
        if not about.agent and make_ping(exchange) is None:
            return None
        return FeatureFacts(rules=(SHORT_MARKS,))
