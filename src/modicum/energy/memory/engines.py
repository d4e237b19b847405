"""How serving programs store a sequence's cache: they round, pad and choose data types differently.

`needed` is what the architecture needs and nothing else. `transformers` is checked to the byte against the library;
`llamacpp` and `vllm` against figures that their own logs print (docs/energy.md names them).
"""

from collections.abc import Callable
from typing import NamedTuple

import msgspec

from modicum.calls.errors import UserError, unknown_name
from modicum.energy.memory.blueprint import Blueprint, KeyValue, Latent, Recurrence
from modicum.energy.memory.sizes import cache_bytes


class CacheTypes(msgspec.Struct, frozen=True):
    """Data types of the cache; `state` None: what the engine chooses by itself."""

    kv: str = "bf16"
    state: str | None = None


class SequenceCache(msgspec.Struct, frozen=True):
    """What one sequence holds on one card."""

    growing_bytes: int
    """Grows with the context, up to a window where there is one."""
    fixed_bytes: int
    """The same for every context: recurrent and convolution states."""
    reserved_bytes: int | None = None
    """What the engine sets aside at most, where that is more than what it needs; None: the same."""

    @property
    def total_bytes(self) -> int:
        return self.growing_bytes + self.fixed_bytes


class Shard(msgspec.Struct, frozen=True):
    """What is asked of an engine for one sequence."""

    context: int
    types: CacheTypes
    cards: int = 1
    """Tensor parallelism: heads are split, latents are held by every card."""


def _split(heads: int, cards: int, what: str, name: str) -> int:
    """Heads per card: split evenly, or one head on several cards."""
    if heads % cards == 0:
        return heads // cards
    if cards % heads == 0:
        return 1
    raise UserError(f"{name}: {heads} {what} cannot be split over {cards} cards; choose a divisor of {heads}")


def _token_elements(mixer: KeyValue, cards: int, name: str) -> int:
    return _split(mixer.kv_heads, cards, "key-value heads", name) * (mixer.key_dim + mixer.value_dim)


def _state(mixer: Recurrence, cards: int, name: str) -> tuple[int, int]:
    """State elements and convolution channels per card."""
    heads = _split(mixer.heads, cards, "state heads", name)
    return mixer.state_elements * heads // mixer.heads, -(-mixer.conv_channels * heads // mixer.heads)


class _Layout(NamedTuple):
    """How an engine rounds, and which types it chooses."""

    window_tokens: Callable[[int], int]
    """Tokens kept of a window."""
    context_tokens: int
    index_bytes: Callable[[int], int]
    """Bytes of an indexer's key of that many elements, per token."""
    state_type: str
    conv_type: str
    conv_extra: int = 0
    """Taps kept beyond the convolution's memory."""


def _add_up_layers(blueprint: Blueprint, shard: Shard, layout: _Layout) -> SequenceCache:
    growing = fixed = 0
    for mixer in blueprint.mixers:
        if isinstance(mixer, KeyValue):
            kept = (
                layout.context_tokens
                if mixer.window is None
                else min(layout.context_tokens, layout.window_tokens(mixer.window))
            )
            growing += cache_bytes(kept * _token_elements(mixer, shard.cards, blueprint.name), shard.types.kv)
        elif isinstance(mixer, Latent):
            growing += cache_bytes(layout.context_tokens * mixer.latent_dim, shard.types.kv)
            growing += layout.context_tokens * layout.index_bytes(mixer.index_dim)
        else:
            state, channels = _state(mixer, shard.cards, blueprint.name)
            fixed += cache_bytes(state, layout.state_type)
            fixed += cache_bytes(channels * (mixer.conv_width - 1 + layout.conv_extra), layout.conv_type)
    return SequenceCache(growing, fixed)


def needed(blueprint: Blueprint, shard: Shard) -> SequenceCache:
    """Keys and values of the visible tokens, states in float32, the indexer's key at one byte per element."""
    return _add_up_layers(
        blueprint,
        shard,
        _Layout(
            window_tokens=lambda window: window,
            context_tokens=shard.context,
            index_bytes=lambda dim: dim,
            state_type=shard.types.state or "fp32",
            conv_type="bf16",
        ),
    )


def transformers(blueprint: Blueprint, shard: Shard) -> SequenceCache:
    """A window keeps one token less than it sees (the current one is not cached yet); convolutions keep all their
    taps; states are float32; the indexer's key has the type of the model.
    """
    return _add_up_layers(
        blueprint,
        shard,
        _Layout(
            window_tokens=lambda window: window - 1,
            context_tokens=shard.context,
            index_bytes=lambda dim: cache_bytes(dim, "bf16"),
            state_type=shard.types.state or "fp32",
            conv_type="bf16",
            conv_extra=1,
        ),
    )


LLAMACPP_MICROBATCH = 512
"""llama.cpp's default `--ubatch-size`: a window's cells hold a window and one micro-batch."""


def llamacpp(blueprint: Blueprint, shard: Shard) -> SequenceCache:
    """Cells are padded to 256; recurrent and convolution states are float32."""
    return _add_up_layers(
        blueprint,
        shard,
        _Layout(
            window_tokens=lambda window: _round_up(window + LLAMACPP_MICROBATCH, 256),
            context_tokens=_round_up(shard.context, 256),
            index_bytes=lambda dim: cache_bytes(dim, shard.types.kv),
            state_type=shard.types.state or "fp32",
            conv_type="fp32",
        ),
    )


VLLM_BLOCK = 16


def vllm(blueprint: Blueprint, shard: Shard) -> SequenceCache:
    """Blocks of 16 tokens. States take the model's type unless the config or `state` says otherwise.

    In a hybrid all layers share one page size: the attention block grows until its page holds a state, and each
    recurrent layer takes one page per sequence; without attention there are only states. Windows free the blocks
    behind them, but the whole context is what the pool is sized by, hence `reserved_bytes`.
    """
    state_type = shard.types.state or blueprint.state_dtype or "bf16"
    if blueprint.recurrences:
        return _vllm_hybrid(blueprint, shard, state_type)
    rounded = _round_up(shard.context, VLLM_BLOCK)

    def walk(window_tokens: Callable[[int], int]) -> SequenceCache:
        return _add_up_layers(
            blueprint,
            shard,
            _Layout(
                window_tokens=window_tokens,
                context_tokens=rounded,
                # One float32 scale per 128 one-byte elements.
                index_bytes=lambda dim: dim + 4 * (dim // 128),
                state_type=state_type,
                conv_type="bf16",
            ),
        )

    least = walk(lambda window: _round_up(window, VLLM_BLOCK) + VLLM_BLOCK)
    reserved = walk(lambda _: rounded).growing_bytes
    return SequenceCache(least.growing_bytes, 0, reserved if reserved > least.growing_bytes else None)


def _vllm_hybrid(blueprint: Blueprint, shard: Shard, state_type: str) -> SequenceCache:
    attend = [mixer for mixer in blueprint.mixers if not isinstance(mixer, Recurrence)]
    states = []
    for mixer in blueprint.recurrences:
        state, channels = _state(mixer, shard.cards, blueprint.name)
        states.append(cache_bytes(state, state_type) + cache_bytes(channels * (mixer.conv_width - 1), "bf16"))
    if not attend:  # nothing to share a page with
        return SequenceCache(0, sum(states))
    sizes = {
        cache_bytes(_token_elements(mixer, shard.cards, blueprint.name), shard.types.kv)
        for mixer in attend
        if isinstance(mixer, KeyValue) and mixer.window is None
    }
    if len(sizes) != 1 or any(isinstance(mixer, Latent) or mixer.window for mixer in attend):
        raise UserError(
            f"{blueprint.name}: how vLLM pages this mix of layers is not known; use --engine needed for a lower bound"
        )
    token_bytes = sizes.pop()
    block = _round_up(-(-max(states) // token_bytes), VLLM_BLOCK)
    page = block * token_bytes
    return SequenceCache(
        growing_bytes=len(attend) * (_round_up(shard.context, block) // block) * page,
        fixed_bytes=len(states) * page,
    )


def _round_up(count: int, step: int) -> int:
    return -(-count // step) * step


ENGINES: dict[str, Callable[[Blueprint, Shard], SequenceCache]] = {
    "needed": needed,
    "transformers": transformers,
    "vllm": vllm,
    "llamacpp": llamacpp,
}


def find_engine(name: str) -> Callable[[Blueprint, Shard], SequenceCache]:
    if name not in ENGINES:
        hint = " ('needed' is what the architecture itself needs, a lower bound for any engine)"
        raise unknown_name("engine", name, ENGINES, hint)
    return ENGINES[name]
