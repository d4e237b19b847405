"""Agents that start agents: how deep they stand, how many a task has, and whether one was given what an agent above it
was given. Pure: who calls says so; names and digests are held, within fixed bounds, and never text.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterator
from enum import StrEnum
from itertools import islice
from typing import NamedTuple

from modicum.calls.words.counted_nouns import number_of

MOST_TASKS = 10_000
"""Whose agents are remembered; the task that was not heard of for longest goes first."""
MOST_AGENTS = 10_000
"""Of one task that are remembered; those after them count, and are not told apart."""
MOST_AGENTS_IN_ALL = 200_000
"""Of all tasks, which take 50 MB; above it, too, the task that was not heard of for longest goes first."""
MOST_PROMPTS_ABOVE = 200
"""Agents above one whose prompts are compared with its own, from its parent on, and the main agent."""


class Lineage(NamedTuple):
    """Which agent makes a call, and which one has started it, in the words of its client."""

    agent: str = ""
    """Empty: the main agent of its task."""
    parent: str = ""
    """Empty: the main agent."""
    task_is_parent: bool = False
    """Its task is named after the agent that has started it, which may itself be an agent of another task."""


MAIN_AGENT = Lineage()


class AgentLimits(NamedTuple):
    """What is allowed of the agents of a task."""

    most_depth: int | None = None
    """Agents that stand above each other below the main agent. None: any number; so with the next."""
    most_agents: int | None = None
    """Beside the main agent."""
    may_repeat: bool = True
    """Whether an agent may be given the very prompt of one above it."""


class AgentFault(StrEnum):
    """What is not allowed. The words are those that refusals have for programs."""

    TOO_DEEP = "agents_too_deep"
    TOO_MANY = "too_many_agents"
    REPEATED = "agent_recursion"


class AgentPlace(NamedTuple):
    """Where an agent stands among those of its task."""

    depth: int
    """1: the main agent has started it."""
    number: int
    """In the order in which they first called, from 1."""
    parent: str
    """Of those that are known; empty: the main agent."""
    prompt: bytes
    """Digest of what it was given; empty where nobody looked."""
    is_repeated: bool
    """One above it was given the same."""


class TaskAgents:
    """The agents of one task."""

    __slots__ = ("agents", "prompt")

    def __init__(self) -> None:
        self.agents: dict[str, AgentPlace] = {}
        self.prompt = b""
        """Digest of what the main agent was given."""

    def place(self, lineage: Lineage, prompt: Callable[[], bytes]) -> AgentPlace:
        """Where an agent stands. `prompt` is asked once for each agent. An agent above it of which nobody has heard
        counts as the main one: so its depth may be too low and is never too high.
        """
        one = self.agents.get(lineage.agent)
        if one is None:
            above = self.agents.get(lineage.parent)
            digest = prompt()
            one = AgentPlace(
                1 if above is None else above.depth + 1,
                len(self.agents) + 1,
                "" if above is None else lineage.parent,
                digest,
                bool(digest) and digest in islice(self._prompts_above(above), 1 + MOST_PROMPTS_ABOVE),
            )
            if len(self.agents) < MOST_AGENTS:
                self.agents[lineage.agent] = one
        return one

    def _prompts_above(self, above: AgentPlace | None) -> Iterator[bytes]:
        yield self.prompt
        while above is not None:
            yield above.prompt
            above = self.agents.get(above.parent)


class AgentTree:
    """Which agents have started which, by task. Used from one thread."""

    def __init__(self) -> None:
        self._tasks: OrderedDict[tuple[object, str], TaskAgents] = OrderedDict()
        self._inside: dict[tuple[object, str], str] = {}
        """The tasks of agents after whom tasks are named."""
        self._agents_in_all = 0

    def place(self, owner: object, task: str, lineage: Lineage, prompt: Callable[[], bytes]) -> AgentPlace | None:
        """Where the agent of a call stands; None: it is the main agent, or nobody says of which task it is.

        Args:
            owner: who pays: tasks of others are others, whatever their names.
            task: as its caller names it.
            lineage: which agent it is.
            prompt: a digest of what the agent was given; asked at the first call of each.
        """
        if not task:
            return None
        if lineage.task_is_parent:
            task = self._inside.get((owner, task), task)
        agents = self._agents_of((owner, task))
        if not lineage.agent:
            agents.prompt = agents.prompt or prompt()
            return None
        if lineage.task_is_parent and len(agents.agents) < MOST_AGENTS:
            self._inside[owner, lineage.agent] = task
        before = len(agents.agents)
        place = agents.place(lineage, prompt)
        self._agents_in_all += len(agents.agents) - before
        while self._agents_in_all > MOST_AGENTS_IN_ALL and len(self._tasks) > 1:
            self._forget_oldest()
        return place

    def _agents_of(self, key: tuple[object, str]) -> TaskAgents:
        agents = self._tasks.get(key)
        if agents is None:
            agents = self._tasks[key] = TaskAgents()
            if len(self._tasks) > MOST_TASKS:
                self._forget_oldest()
        self._tasks.move_to_end(key)
        return agents

    def _forget_oldest(self) -> None:
        (owner, _), oldest = self._tasks.popitem(last=False)
        self._agents_in_all -= len(oldest.agents)
        for agent in oldest.agents:
            self._inside.pop((owner, agent), None)


def fault_of(place: AgentPlace, limits: AgentLimits) -> AgentFault | None:
    """What is not allowed of an agent's place; None: nothing. It is the same at each of its calls."""
    if place.is_repeated and not limits.may_repeat:
        return AgentFault.REPEATED
    if limits.most_depth is not None and place.depth > limits.most_depth:
        return AgentFault.TOO_DEEP
    if limits.most_agents is not None and place.number > limits.most_agents:
        return AgentFault.TOO_MANY
    return None


def describe(fault: AgentFault, place: AgentPlace, limits: AgentLimits) -> str:
    """What is wrong, in a sentence without its end."""
    if fault is AgentFault.REPEATED:
        return "this agent was given the very prompt that an agent above it was given"
    if fault is AgentFault.TOO_DEEP:
        most = number_of(limits.most_depth or 0, "level")
        return f"this agent stands at level {place.depth} of agents that start agents, and {most} may be"
    most = number_of(limits.most_agents or 0, "agent")
    return f"this is agent {place.number:,} of its task, and {most} may be"
