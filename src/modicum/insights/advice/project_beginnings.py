"""What conversations of each project begin with, beside the leanest project: system prompt, tools, instructions.

An agent's own system prompt is the same everywhere, so what one project begins with above another is what its user put
there: instruction files, servers of tools, skills, agents. Subagents begin otherwise than the main agent, and their
beginnings are left as they were.
"""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec
import numpy as np

from modicum.insights.finding import HistoryChange
from modicum.insights.history import Flags, History, Ints
from modicum.insights.segment_costs import is_kind, price_segments

BEGINNING = ("prefix", "system", "tool_schema")
LEAST_CONVERSATIONS = 3
"""Of a project that is an example to others: one odd conversation is none."""
MCP = "mcp__"


class ProjectBeginning(msgspec.Struct, frozen=True, kw_only=True):
    """One project of one agent, dearest excess first.

    Attributes:
        client: the agent, as its logs are named: only what the same agent begins with can be compared.
        project: its name.
        conversations: of the main agent.
        median_tokens: of what they begin with.
        excess_tokens: of the median, above that of the leanest project.
        cost_usd: of these beginnings, over all calls that carried them.
        subagents_usd: of those of subagents, likewise; with `cost_usd` it is all that beginnings cost.
        excess_usd: of the excess, likewise, in the record.
        parts: tokens of what the log names of the beginnings, by name, in the median conversation that has it.
        servers: calls of tools of each MCP server: one that is not here was never used.
    """

    client: str
    project: str
    conversations: int
    median_tokens: int
    excess_tokens: int
    cost_usd: float
    subagents_usd: float
    excess_usd: float
    parts: dict[str, int]
    servers: dict[str, int]


def compare_beginnings(history: History) -> list[ProjectBeginning]:
    """Each project beside the leanest of the same agent; empty: these logs do not show what prompts begin with."""
    groups = _group_calls(history)
    if not groups:
        return []
    cut = _cuts(history, groups)
    main = _main_beginnings(history)
    of_subagents = is_kind(history, *BEGINNING) & ~main
    rows = [_describe_group(history, one, cut, main, of_subagents) for one in groups]
    return sorted(rows, key=lambda row: (-row.excess_usd, -row.cost_usd, row.client, row.project))


def lean_beginnings(history: History) -> HistoryChange:
    """Every conversation's beginning less what the median of its project has above the leanest project's."""
    cut = _cuts(history, _group_calls(history))
    return HistoryChange(segment_tokens=history.segment_tokens - cut) if cut.any() else HistoryChange()


class _Group(NamedTuple):
    """The conversations of one agent in one project."""

    source: int
    project: int
    calls: Ints
    """Those that bore a beginning."""
    tokens: Ints
    """Of each of these beginnings."""
    leanest: float
    """The smallest median of a project of the same agent."""

    @property
    def median(self) -> float:
        return float(np.median(self.tokens))


def _group_calls(history: History) -> list[_Group]:
    segments = _main_beginnings(history)
    begins = np.zeros(history.calls, dtype=bool)
    begins[history.segment_call[segments & (history.segment_position == 0)]] = True
    segments &= begins[history.segment_call]  # instructions that come later begin no conversation
    tokens = np.bincount(history.segment_call[segments], history.segment_tokens[segments], history.calls)
    found = []
    for source in np.unique(history.source[tokens > 0]):
        own = (tokens > 0) & (history.source == source)
        groups = []
        for project in np.unique(history.project[own]):
            calls = np.flatnonzero(own & (history.project == project))
            groups.append(_Group(int(source), int(project), calls, tokens[calls].astype(np.int64), 0.0))
        # An odd conversation is no example, unless there is nothing else.
        able = [one for one in groups if len(one.calls) >= LEAST_CONVERSATIONS] or groups
        found += [one._replace(leanest=min(other.median for other in able)) for one in groups]
    return found


def _describe_group(history: History, one: _Group, cut: Ints, main: Flags, of_subagents: Flags) -> ProjectBeginning:
    calls = history.segment_call
    here = (history.project[calls] == one.project) & (history.source[calls] == one.source)
    own = main & here
    removed = cut * own
    return ProjectBeginning(
        client=history.sources[one.source],
        project=history.projects[one.project],
        conversations=len(one.calls),
        median_tokens=round(one.median),
        excess_tokens=round(max(one.median - one.leanest, 0)),
        cost_usd=price_segments(history, own)[1],
        subagents_usd=price_segments(history, of_subagents & here)[1],
        excess_usd=price_segments(history, np.flatnonzero(removed), removed[removed > 0])[1],
        parts=_named_parts(history, own),
        servers=_used_servers(history, here),
    )


def _main_beginnings(history: History) -> Flags:
    """For every segment whether it is of a beginning, of a conversation of the main agent. (S,)"""
    main: Flags = history.agent == history.code_of(history.agents, "")
    return is_kind(history, *BEGINNING) & main[history.segment_call]


def _cuts(history: History, groups: Sequence[_Group]) -> Ints:
    """Tokens to take off each segment: the excess of its project, shared among the parts of the beginning; no
    conversation goes below the leanest. (S,)
    """
    share = np.zeros(history.calls)
    for one in groups:
        excess = max(one.median - one.leanest, 0)
        share[one.calls] = np.clip(one.tokens - one.leanest, 0, excess) / one.tokens
    of_segments = np.where(_main_beginnings(history), share[history.segment_call], 0)
    return np.floor(history.segment_tokens * of_segments).astype(np.int64)


def _named_parts(history: History, own: Flags) -> dict[str, int]:
    """Parts that the log names (a file of instructions, a list of skills), largest first."""
    found: dict[str, list[int]] = {}
    for place in np.flatnonzero(own):
        if name := history.tools[history.segment_tool[place]]:
            found.setdefault(name, []).append(int(history.segment_tokens[place]))
    sizes = {name: round(float(np.median(tokens))) for name, tokens in found.items()}
    return dict(sorted(sizes.items(), key=lambda row: (-row[1], row[0])))


def _used_servers(history: History, here: Flags) -> dict[str, int]:
    used: dict[str, int] = {}
    codes, counts = np.unique(history.segment_tool[here & is_kind(history, "tool_call")], return_counts=True)
    for code, count in zip(codes, counts, strict=True):
        if (name := history.tools[code]).startswith(MCP):
            server = name.split("__")[1]
            used[server] = used.get(server, 0) + int(count)
    return dict(sorted(used.items(), key=lambda row: (-row[1], row[0])))
