"""Two models side by side: the memory of weights and cache over contexts and batches, and where one saves what."""

import msgspec

from modicum.energy.memory.blueprint import Blueprint
from modicum.energy.memory.memory_plan import PlanRequest, plan_memory

GRID = ((1024, 1), (8192, 1), (32_768, 8), (131_072, 1), (131_072, 8), (131_072, 32))
"""Contexts and batches that a claim is looked at under: one short chat up to many long sessions."""


class ComparisonCell(msgspec.Struct, frozen=True):
    context: int
    batch: int
    first_bytes: int
    second_bytes: int

    @property
    def saving(self) -> float:
        """Part of the second's memory that the first does without; negative: the first needs more."""
        return 1 - self.first_bytes / self.second_bytes


class Comparison(msgspec.Struct, frozen=True):
    first: str
    second: str
    cells: tuple[ComparisonCell, ...]
    """The asked-for point first, then the grid."""
    break_even_tokens: int | None
    """Context beyond which the first's cache is the smaller of the two; 0: always; None: never."""


def compare_memory(first: Blueprint, second: Blueprint, request: PlanRequest) -> Comparison:
    """Weights and cache, without the estimated parts: these would hide the difference.

    Raises:
        UserError: as `plan_memory`.
    """
    points = [(request.context, request.batch), *(point for point in GRID if point != (request.context, request.batch))]
    cells = []
    for context, batch in points:
        here = msgspec.structs.replace(request, context=context, batch=batch)
        cells.append(
            ComparisonCell(context, batch, plan_memory(first, here).exact_bytes, plan_memory(second, here).exact_bytes)
        )
    return Comparison(first.name, second.name, tuple(cells), _find_break_even(first, second, request))


def _find_break_even(first: Blueprint, second: Blueprint, request: PlanRequest) -> int | None:
    def smaller(context: int) -> bool:
        here = msgspec.structs.replace(request, context=context, batch=1)
        return plan_memory(first, here).cache_bytes < plan_memory(second, here).cache_bytes

    if smaller(1):
        return 0
    low, high = 1, 2**24
    if not smaller(high):
        return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if smaller(middle) else (middle, high)
    return high
