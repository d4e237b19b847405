"""Where the agents of a history stood, by the very code of the gateway's guard. Logs rarely say which agent has started
which: one of which nobody says so counts as started by its task's main agent.
"""

from collections.abc import Iterator
from functools import partial

import numpy as np

from modicum.governance.agent_tree import AgentPlace, AgentTree, Lineage
from modicum.insights.history import History
from modicum.insights.segment_costs import hash_inputs

_BYTES = 8


def agent_places(history: History, parents: dict[int, str]) -> Iterator[tuple[int, AgentPlace]]:
    """The calls of agents, in order of time, each with the place of its agent.

    Args:
        history: the calls.
        parents: of the calls that name one, the agent that has started theirs.

    Yields:
        The call's number, and where its agent stands.
    """
    tree, prompts = AgentTree(), hash_inputs(history)
    for call in np.argsort(history.started_s, kind="stable"):
        number = int(call)
        start = int(prompts[history.conversation_start[number]])
        place = tree.place(
            "",
            history.tasks[history.task[number]],
            Lineage(history.agents[history.agent[number]], parents.get(number, "")),
            partial(_prompt_bytes, start),
        )
        if place is not None:
            yield number, place


def _prompt_bytes(digest: int) -> bytes:
    return b"" if digest == -1 else digest.to_bytes(_BYTES, "big", signed=True)
