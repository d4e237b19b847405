"""The history with the rule `tools.on_demand`: schemas that a program hardly ever called are not sent.

A tool that a conversation called in the end is taken to have been there. What searches would have cost is not counted,
so that it is an upper bound.
"""

from collections import defaultdict

import numpy as np

from modicum.insights.finding import HistoryChange
from modicum.insights.history import History
from modicum.insights.rules.rule_replay import prompts_of
from modicum.insights.segment_costs import is_kind
from modicum.optimizers.tool_use import ToolUse
from modicum.optimizers.tools_on_demand import LEAST_TOKENS, find_tool


def send_tools_on_demand(history: History) -> HistoryChange:
    """Programs are told apart by project, agent and set of tools."""
    tokens, tool_use, called = history.segment_tokens.copy(), ToolUse(), _called_tools(history)
    bounds = np.searchsorted(history.segment_call, np.arange(history.calls + 1))
    is_schema = is_kind(history, "tool_schema")
    for number, prompt in enumerate(prompts_of(history)):
        if not prompt.is_known:
            continue
        program = int(history.project[number]), int(history.agent[number])
        demand = tool_use.demand(program, prompt.units)
        if demand is None or not history.first[number]:
            continue
        schemas = [place for place in range(bounds[number], bounds[number + 1]) if is_schema[place]]
        names = {place: history.tools[history.segment_tool[place]] for place in schemas}
        seldom = demand[0].seldom(frozenset(names.values())) - {""}
        absent = [place for place in schemas if names[place] in seldom - called[number]]
        if absent and tokens[schemas].sum() >= LEAST_TOKENS:
            tokens[absent] = 0
            tokens[absent[0]] = find_tool(seldom).tokens
    return HistoryChange(segment_tokens=tokens)


def _called_tools(history: History) -> dict[int, set[str]]:
    """Of each conversation, by its first call, the tools that it called."""
    called: dict[int, set[str]] = defaultdict(set)
    for place in np.flatnonzero(is_kind(history, "tool_call", "tool_result")):
        start = int(history.conversation_start[history.segment_call[place]])
        called[start].add(history.tools[history.segment_tool[place]])
    return called
