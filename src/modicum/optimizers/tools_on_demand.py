"""Tools that a program hardly ever calls are left out of its requests, and found by the model when it wants one.

What a program calls is learned from its own conversations. Its tools that are called in next to none of them go out
with the first request of a conversation; one small tool stands for all of them, which says what there is and brings one
back. Only who answers that tool can run this rule: a gateway.
"""

from decimal import Decimal
from typing import NamedTuple

from modicum.calls import SegmentKind
from modicum.calls.change import NO_CHANGE, Change, OwnTool
from modicum.calls.facts import Facts
from modicum.calls.prompt import Prompt, Unit
from modicum.calls.rule import NetSaving, Rule, Safety
from modicum.calls.words.counted_nouns import number_of
from modicum.calls.words.percentages import percent
from modicum.optimizers.net_saving import weigh_tokens

NAME = "tools.on_demand"
FIND_TOOL = "modicum_find_tools"
LEAST_CONVERSATIONS = 10
"""Of a program, before anything of its tools is left out."""
SELDOM = 0.1
"""Tools that are called in no greater share of conversations are left out."""
LEAST_TOKENS = 400
"""Below so many nothing is worth a search."""


class ToolDemand(NamedTuple):
    """What is known of the tools of a program, for one call."""

    conversations: int
    """In which they were offered before."""
    called: dict[str, int]
    """In how many of these each was called."""
    found: frozenset[str] = frozenset()
    """Those that were brought back in this conversation."""
    left_out: frozenset[str] | None = None
    """Those that its calls before left out; None: it is the first."""
    marks_cache: bool = False
    """The request has breakpoints of its caller's."""
    searches_each: float = 0.0
    """Searches in a conversation, as those before had them."""

    def seldom(self, names: frozenset[str]) -> frozenset[str]:
        """Of these tools those that are hardly ever called."""
        if self.left_out is not None:
            return self.left_out & names
        if self.conversations < LEAST_CONVERSATIONS:
            return frozenset()
        return frozenset(name for name in names if self.called.get(name, 0) <= SELDOM * self.conversations)


def find_tool(names: frozenset[str]) -> OwnTool:
    """The tool that stands for those that are left out. It is the same for the same tools."""
    listed = ", ".join(sorted(names))
    return OwnTool(
        FIND_TOOL,
        f"More tools can be had: {listed}. To use one of them, call this with its name or with what you want to do; "
        "it can be called from then on.",
        {"type": "object", "properties": {"query": {"type": "string"}}, "required": ["query"]},
    )


def decide(prompt: Prompt, facts: Facts) -> Change:
    """Leaves out the schemas of tools that are hardly ever called, unless this conversation has."""
    demand = facts.of(ToolDemand)
    if demand is None:
        return NO_CHANGE
    schemas = [unit for unit in prompt.units if unit.kind is SegmentKind.TOOL_SCHEMA]
    names = frozenset(unit.tool for unit in schemas)
    called = {unit.tool for unit in prompt.units if unit.kind in _USES}
    seldom = demand.seldom(names) - {""}
    absent = [unit for unit in schemas if unit.tool in seldom - called - demand.found]
    if demand.marks_cache and absent and absent[-1] is schemas[-1]:
        absent.pop()  # the caller's mark may stand at the last one
    if not seldom or len(seldom) == len(names) == 1 or sum(map(_tokens, schemas)) < LEAST_TOKENS:
        return NO_CHANGE
    return Change(
        left_out=frozenset(unit.place for unit in absent),
        own_tools=(find_tool(seldom),),
        why=f"{PURPOSE}: {len(absent)} of {len(schemas)} tools left out, called in at most {percent(SELDOM, 0)} of "
        f"{number_of(demand.conversations, 'conversation')}",
    )


_USES = frozenset({SegmentKind.TOOL_CALL, SegmentKind.TOOL_RESULT})


def _tokens(unit: Unit) -> int:
    return unit.tokens


def weigh(prompt: Prompt, facts: Facts, change: Change) -> NetSaving:
    """What the schemas cost that are not sent, less the tool that stands for them, and less the searches: each is one
    more call that reads the whole prompt, and the tool that it brings back has the cache written anew.
    """
    in_cache = facts.rules_before is not None and NAME in facts.rules_before
    own = sum(tool.tokens for tool in change.own_tools)
    plain = weigh_tokens(prompt, facts, change, in_cache=in_cache)
    removed = plain.tokens_removed - own
    if removed <= 0:
        return NetSaving()
    demand = facts.of(ToolDemand)
    rates = facts.rates(facts.model) if facts.rates is not None else None
    if plain.usd is None or rates is None or demand is None:
        return NetSaving(removed, plain.tokens_broken, None, plain.is_certain)
    later = Decimal(facts.later_calls or 0)
    less = own * (rates.input_uncached + later * rates.cache_read)
    left = prompt.tokens - removed
    searches = Decimal(str(demand.searches_each)) if facts.turn in {None, 0} else Decimal(0)
    less += searches * left * (rates.cache_read + rates.cache_write_5m)
    return NetSaving(removed, plain.tokens_broken, plain.usd - less, is_certain=False)


PURPOSE = "tools that are hardly ever called are sent when they are asked for"
TOOLS_ON_DEMAND = Rule(NAME, decide, Safety.REVERSIBLE, purpose=PURPOSE, weigh=weigh)
