"""Who is in a team, who may read whom, and who must stay.

A team runs in rounds. Within a round an agent may read what others wrote in the same round (spatial edges); from the
second round on also what was written in the round before (temporal edges, an agent's own words included). The terms
are those of AgentPrune (arXiv 2410.02506) and AgentDropout (arXiv 2503.18891).
"""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from modicum.calls import UserError
from modicum.calls.errors import unknown_name
from modicum.calls.outside.one_line import CONTROL

Mask = NDArray[np.bool_]
"""True where an edge may be: [..., source, reader]."""

SHAPES = ("full", "layered", "chain", "star", "none")

Edges = str | Iterable[tuple[str, str]]
"""One of SHAPES, or (source, reader) pairs."""


class TeamGraph:
    """A team's agents and the edges that may carry messages.

    Args:
        agents: unique names; their order is the order of speaking where edges leave it open.
        rounds: how often everybody is asked.
        spatial: edges within a round. "full" is every pair: which of i->j and j->i is used is open, and the order of
            `agents` decides unless a learner samples it. Pairs that are given must not form a cycle.
        temporal: edges from a round to the next.
        protect: agents that no plan may drop, mute or stop.

    Attributes:
        spatial: bool[rounds, agents, agents].
        temporal: bool[rounds - 1, agents, agents].

    Raises:
        UserError: no agents, duplicate, unprintable or unknown names, a cycle, no rounds.
    """

    def __init__(
        self,
        agents: Sequence[str],
        rounds: int = 1,
        spatial: Edges = "full",
        temporal: Edges = "full",
        protect: Iterable[str] = (),
    ) -> None:
        self.agents = tuple(agents)
        self.rounds = rounds
        self.protect = frozenset(protect)
        _check_names(self.agents)
        if rounds < 1:
            raise UserError(f"a team needs at least one round, not {rounds}: set rounds to 1 or more")
        for name in sorted(self.protect - set(self.agents)):
            raise unknown_name("agent to protect in the team called", name, self.agents)
        within = self._edges(spatial, "spatial")
        loop = find_cycle(within)
        if loop and not isinstance(spatial, str):
            names = " -> ".join(self.agents[index] for index in loop)
            raise UserError(f"spatial edges form a cycle ({names}): no agent could speak first; make one edge temporal")
        across = self._edges(temporal, "temporal", own=True)
        self.spatial: Mask = np.repeat(within[None], rounds, axis=0)
        self.temporal: Mask = np.repeat(across[None], rounds - 1, axis=0)

    def index(self, agent: str) -> int:
        """Position of the agent.

        Raises:
            UserError: it is not in the team.
        """
        try:
            return self.agents.index(agent)
        except ValueError:
            raise unknown_name("agent in the team called", agent, self.agents) from None

    def _edges(self, edges: Edges, kind: str, *, own: bool = False) -> Mask:
        size = len(self.agents)
        if isinstance(edges, str):
            return make_edges(edges, size, own=own)
        mask: Mask = np.zeros((size, size), dtype=bool)
        for source, reader in edges:
            if source == reader and not own:
                raise UserError(f"{kind} edge {source} -> {reader}: an agent does not read itself within a round")
            mask[self.index(source), self.index(reader)] = True
        return mask


def make_edges(shape: str, size: int, *, own: bool = False) -> Mask:
    """The edges of a named shape; with `own`, everybody also reads its own last words (temporal edges)."""
    ones: Mask = np.ones((size, size), dtype=bool)
    first_layer = np.arange(size) < (size + 1) // 2
    shapes = {
        "full": ones & ~np.eye(size, dtype=bool),
        "layered": np.outer(first_layer, ~first_layer),
        "chain": np.eye(size, k=1, dtype=bool),
        "star": np.outer(np.arange(size) == 0, np.arange(size) > 0),
        "none": ~ones,
    }
    if shape not in shapes:
        raise unknown_name("shape", shape, SHAPES, ", or (source, reader) pairs")
    return shapes[shape] | np.eye(size, dtype=bool) if own and shape != "none" else shapes[shape]


def find_cycle(edges: Mask) -> list[int]:
    """Agents of one cycle, in order, the first again at the end; empty where there is none."""
    state = [0] * len(edges)
    path: list[int] = []

    def visit(node: int) -> list[int]:
        state[node] = 1
        path.append(node)
        for reader in np.flatnonzero(edges[node]):
            if state[reader] == 1:
                return [*path[path.index(int(reader)) :], int(reader)]
            if state[reader] == 0 and (found := visit(int(reader))):
                return found
        path.pop()
        state[node] = 2
        return []

    for node in range(len(edges)):
        if state[node] == 0 and (found := visit(node)):
            return found
    return []


def add_acyclic_edges(edges: Mask, more: Mask) -> Mask:
    """Edges without a cycle, and those of `more`, tried row by row, that close none."""
    found = edges.copy()
    for source, reader in np.argwhere(more & ~edges):
        found[source, reader] = True
        if find_cycle(found):
            found[source, reader] = False
    return found


def _check_names(agents: tuple[str, ...]) -> None:
    if not agents:
        raise UserError("a team needs agents: name at least one")
    seen: set[str] = set()
    for name in agents:
        if not name:
            raise UserError("an agent has no name: every agent needs one")
        if CONTROL.search(name):
            raise UserError(f"agent {name!r} has a control character in its name: rename it, with printable characters")
        if name in seen:
            raise UserError(f"agent '{name}' is named twice: give each agent its own name")
        seen.add(name)
