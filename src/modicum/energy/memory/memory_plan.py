"""What a model needs in all, whether it fits a card, and the largest context and batch that do."""

from collections.abc import Callable
from typing import Any

import msgspec

from modicum.calls.basis import Basis
from modicum.calls.errors import UserError
from modicum.calls.outside.tabular import Tabular
from modicum.calls.words.counted_nouns import number_of
from modicum.energy.memory.blueprint import Blueprint
from modicum.energy.memory.cards import Cards
from modicum.energy.memory.engines import CacheTypes, SequenceCache, Shard, find_engine
from modicum.energy.memory.weights import measure_weights

RUNTIME_BYTES = 1024**3
"""Estimate of what driver context, kernels and graphs take on a card; seen between 0.5 and 2 GiB."""


class PlanRequest(msgspec.Struct, frozen=True):
    context: int
    """Tokens of each sequence, prompt and output together."""
    batch: int = 1
    """Sequences held at once."""
    engine: str = "needed"
    weights: str | None = None
    """Data type of the weights; None: as published."""
    types: CacheTypes = CacheTypes()
    cards: Cards | None = None
    memory_share: float = 0.9
    """Part of a card's memory that may be used (vLLM's `--gpu-memory-utilization`)."""
    tokens_per_step: int = 2048
    """Tokens that go through the model in one step at most (prefill chunk); for activations."""


class MemoryPlan(Tabular, msgspec.Struct, frozen=True):
    """Bytes per card. `exact_bytes` follow from the architecture; activations and runtime are estimates."""

    model: str
    model_type: str
    engine: str
    context: int
    batch: int
    cards: int
    parameters: int
    active_parameters: int
    weights_bytes: int
    weights_dtype: str
    weights_basis: Basis
    cache_bytes_per_token: int
    """What one more token of context costs one sequence, far beyond every window."""
    state_bytes_per_sequence: int
    cache_bytes: int
    """Of the whole batch, states included."""
    reserved_bytes: int | None
    """What the engine sets aside for the same batch, where that is more."""
    activations_bytes: int
    runtime_bytes: int
    card_bytes: int | None
    usable_bytes: int | None
    fits: bool | None
    """None: no card was named."""
    largest_context: int | None
    """At this batch, on this card; None: no card, or not even one token fits."""
    largest_batch: int | None
    """At this context, on this card; None: no card, or not even one sequence fits."""
    context_limit: int | None
    notes: tuple[str, ...]

    def to_dicts(self) -> list[dict[str, Any]]:
        """The plan as one row."""
        return [{**msgspec.structs.asdict(self), "exact_bytes": self.exact_bytes, "total_bytes": self.total_bytes}]

    @property
    def exact_bytes(self) -> int:
        return self.weights_bytes + self.cache_bytes

    @property
    def estimated_bytes(self) -> int:
        return self.activations_bytes + self.runtime_bytes

    @property
    def total_bytes(self) -> int:
        return self.exact_bytes + self.estimated_bytes


FAR = 4 * 1024**2
"""A context beyond every window and a multiple of every block: there the growth per token is read off."""


def plan_memory(blueprint: Blueprint, request: PlanRequest) -> MemoryPlan:
    """What a model needs in all at a context and batch, and whether that fits the cards.

    Raises:
        UserError: a context or batch below 1, an unknown engine or data type, heads that cannot be split.
    """
    if request.context < 1 or request.batch < 1:
        raise UserError("context and batch must be 1 or more, e.g. --context 128k --batch 8")
    cards = request.cards.count if request.cards else 1
    engine = find_engine(request.engine)

    def held(context: int) -> SequenceCache:
        return engine(blueprint, Shard(context, request.types, cards))

    weights = measure_weights(blueprint, request.weights)
    per_card = -(-weights.bytes_ // cards)
    one = held(request.context)
    activations = _estimate_activations(blueprint, request, cards)
    usable = int(request.cards.bytes_each * request.memory_share) if request.cards else None
    room = usable - per_card - activations - RUNTIME_BYTES if usable is not None else None
    return MemoryPlan(
        model=blueprint.name,
        model_type=blueprint.model_type,
        engine=request.engine,
        context=request.context,
        batch=request.batch,
        cards=cards,
        parameters=blueprint.parameters.total,
        active_parameters=blueprint.parameters.active,
        weights_bytes=per_card,
        weights_dtype=weights.dtype,
        weights_basis=weights.basis if cards == 1 else weights.basis | Basis.ESTIMATED,
        cache_bytes_per_token=(held(2 * FAR).growing_bytes - held(FAR).growing_bytes) // FAR,
        state_bytes_per_sequence=one.fixed_bytes,
        cache_bytes=request.batch * one.total_bytes,
        reserved_bytes=request.batch * (one.reserved_bytes + one.fixed_bytes) if one.reserved_bytes else None,
        activations_bytes=activations,
        runtime_bytes=RUNTIME_BYTES,
        card_bytes=request.cards.bytes_each if request.cards else None,
        usable_bytes=usable,
        fits=room >= request.batch * one.total_bytes if room is not None else None,
        largest_context=_find_largest(lambda n: request.batch * held(n).total_bytes, room),
        largest_batch=_find_largest(lambda n: n * one.total_bytes, room),
        context_limit=blueprint.context_limit,
        notes=_list_notes(blueprint, request, cards),
    )


def _estimate_activations(blueprint: Blueprint, request: PlanRequest, cards: int) -> int:
    """Estimate: residual stream and the widest feed-forward part of one step in 16 bits, logits of one token per
    sequence in 32 bits. Engines differ; vLLM prints its own measured figure at start.
    """
    inside = request.tokens_per_step * (4 * blueprint.hidden_size + 2 * -(-blueprint.widest_mlp // cards)) * 2
    return inside + request.batch * blueprint.vocab_size * 4


def _find_largest(size: Callable[[int], int], room: int | None) -> int | None:
    """The largest n with size(n) <= room, by doubling and halving; sizes never shrink with n."""
    if room is None or size(1) > room:
        return None
    low, high = 1, 2
    while size(high) <= room and high < 2**40:
        low, high = high, high * 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if size(middle) <= room else (low, middle)
    return low


def _list_notes(blueprint: Blueprint, request: PlanRequest, cards: int) -> tuple[str, ...]:
    notes = list(blueprint.notes)
    if blueprint.context_limit and request.context > blueprint.context_limit:
        notes.append(
            f"the config allows {number_of(blueprint.context_limit, 'token')} of context; the requested context is "
            "longer"
        )
    if cards > 1:
        notes.append(
            "weights are assumed to be split evenly over the GPUs; what every GPU repeats (norms) is not counted"
        )
    return tuple(notes)
