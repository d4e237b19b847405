"""Learners, one file each, behind `modicum.agents.trials.Learner`."""

from modicum.agents.learners.agentdropout import AgentDropout
from modicum.agents.learners.agentdropout_released import AgentDropoutReleased
from modicum.agents.learners.agentprune import AgentPrune
from modicum.agents.learners.random_drop import RandomDrop
from modicum.agents.learners.trace import Trace

LEARNERS: dict[str, type[Trace | AgentDropout | AgentDropoutReleased | AgentPrune | RandomDrop]] = {
    "trace": Trace,
    "agentdropout": AgentDropout,
    "agentdropout-released": AgentDropoutReleased,
    "agentprune": AgentPrune,
    "random": RandomDrop,
}
"""By the name that plans carry; each is made from its parameters."""

__all__ = ["LEARNERS", "AgentDropout", "AgentDropoutReleased", "AgentPrune", "RandomDrop", "Trace"]
