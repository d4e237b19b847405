"""Which tools of ours a call may be offered, and what is known of the tools that its program calls."""

from modicum.calls import SegmentKind
from modicum.calls.change import NO_CHANGE, Change
from modicum.calls.facts import Facts
from modicum.calls.prompt import Prompt
from modicum.calls.rule import Rule
from modicum.gateway.exchange import Exchange
from modicum.gateway.optimizing import FeatureFacts
from modicum.gateway.own_tools.answers import CutReader, ToolFinder
from modicum.gateway.own_tools.loop import OfferedTools, ToolAnswers
from modicum.optimizers.code.skeleton_rule import CODE_SKELETON
from modicum.optimizers.result_cut import CUT, READ_TOOL, ReadableCuts
from modicum.optimizers.rule_choice import RuleChoice
from modicum.optimizers.tool_use import ConversationUse, ProgramUse, ToolUse
from modicum.optimizers.tools_on_demand import TOOLS_ON_DEMAND

_MARK = b'"cache_control"'
_DEFERS = b'"defer_loading"', b'"tool_search', b"modicum_"
"""What stands in requests that defer tools already, or speak of ours."""


def _offer_reading(prompt: Prompt, _facts: Facts) -> Change:
    """Every call of a conversation offers it, also before anything is cut: tools stand before all that is cached."""
    has_tools = any(unit.kind is SegmentKind.TOOL_SCHEMA for unit in prompt.units)
    return Change(own_tools=(READ_TOOL,)) if has_tools else NO_CHANGE


_CUTS = (CUT, CODE_SKELETON)
"""Rules that leave parts of results out, which the gateway gives again."""
_RULES = (*_CUTS, TOOLS_ON_DEMAND)
"""Rules that offer the model a tool of ours."""
OFFER_READING = Rule("content.read_cut", _offer_reading, purpose="what was cut can be read again")


class OwnTools:
    """Says which tools of ours a call may be offered (`optimizing.FactSource`). Asked after all other features.

    Args:
        choice: which rules run for whom.
        use: what is known of tools, kept over reloads; None: this process may see a part of a conversation alone.
    """

    name = "own_tools"

    def __init__(self, choice: RuleChoice, use: ToolUse | None) -> None:
        self._choice, self._use = choice, use

    @staticmethod
    def may_offer(choice: RuleChoice) -> bool:
        """Whether anybody's calls may be offered one; else no call is looked at."""
        return any(choice.is_chosen(rule) for rule in _RULES)

    def facts(self, exchange: Exchange) -> FeatureFacts | None:
        shape = exchange.request.served.dialect.own_tools
        if shape is None or exchange.listeners or exchange.redaction is not None or exchange.is_plain:
            return None
        about = exchange.about
        rules = [one for one in _RULES if self._choice.why_off(one, about.owner) == ""]
        if not rules or not exchange.prompt.is_known or not shape.fits(exchange.edited):
            return None
        held_out = self._choice.held_out(rules, about.task)
        answers: list[ToolAnswers] = []
        known: list[object] = []
        own_rules: tuple[Rule, ...] = ()
        if any(rule in rules and rule.name not in held_out for rule in _CUTS):
            answers.append(CutReader(exchange))
            known.append(ReadableCuts())
            own_rules = (OFFER_READING,)
        if self._use is not None and TOOLS_ON_DEMAND in rules and not any(word in exchange.edited for word in _DEFERS):
            demand = self._use.demand(about.owner, exchange.prompt.units)
            if demand is not None and TOOLS_ON_DEMAND.name not in held_out:
                answers.append(_finder(exchange, demand[1], demand[2]))
                known.append(demand[0]._replace(marks_cache=_MARK in exchange.edited))
        if not answers:
            return None
        return FeatureFacts((*known, OfferedTools(tuple(answers))), own_rules)


def _finder(exchange: Exchange, conversation: ConversationUse, program: ProgramUse) -> ToolFinder:
    def remember(found: frozenset[str]) -> None:
        conversation.found |= found
        program.searches += 1

    return ToolFinder(exchange, remember)
