"""How much memory a model needs: weights, cache per token, fixed state, activations, against a card.

From the architecture's published fields alone. What is known to the byte is told apart from what is estimated, and an
architecture that is not known is refused by name.
"""

from modicum.energy.memory.blueprint import Blueprint, KeyValue, Latent, Mixer, Parameters, Recurrence
from modicum.energy.memory.catalogue import find_blueprint
from modicum.energy.memory.memory_plan import MemoryPlan, PlanRequest, plan_memory

__all__ = [
    "Blueprint",
    "KeyValue",
    "Latent",
    "MemoryPlan",
    "Mixer",
    "Parameters",
    "PlanRequest",
    "Recurrence",
    "find_blueprint",
    "plan_memory",
]
