"""Counts of weights of the parts that architectures are made of. Whole numbers of parameters, no bytes."""

from typing import NamedTuple

from modicum.energy.memory.blueprint import Recurrence
from modicum.energy.memory.config import Fields

TIED = {
    "cohere2",
    "gemma2",
    "gemma3_text",
    "gemma3n_text",
    "gemma4_text",
    "lfm2",
    "mamba",
    "smollm3",
    "zamba2",
}
"""Architectures whose output head is the input table unless the config says otherwise."""
NEVER_TIED = {"nemotron_h"}
"""Whatever `tie_word_embeddings` says."""


def embeddings(fields: Fields) -> int:
    """Weights of the input table and the output head; one table where they are tied."""
    model_type = fields.raw.get("model_type")
    # LFM2's own files have a name of their own, which goes before the usual one.
    field = "tie_embedding" if model_type == "lfm2" and "tie_embedding" in fields.raw else "tie_word_embeddings"
    tied = model_type not in NEVER_TIED and fields.flag(field, default=model_type in TIED)
    return (1 if tied else 2) * fields.vocab * fields.hidden


def attention(
    fields: Fields, kv_heads: int, head_dim: int, *, bias: bool = False, gated: bool = False, value: bool = True
) -> int:
    """Projections of grouped-query attention.

    `gated`: the query projection also makes an output gate (twice as wide). `value`: False where values are made from
    the keys' projection.
    """
    hidden, query = fields.hidden, fields.heads * head_dim
    key_value = kv_heads * head_dim * (2 if value else 1)
    wide = query * (2 if gated else 1) + key_value
    return hidden * wide + query * hidden + (wide + hidden if bias else 0)


def gated_mlp(hidden: int, inner: int) -> int:
    """Gate, up and down projection."""
    return 3 * hidden * inner


class Biases(NamedTuple):
    """The fields that say whether a Mamba-2 mixer's parts have a bias."""

    convolution: str | None = "mamba_conv_bias"
    """None: it always has one."""
    into: str = "mamba_proj_bias"
    out: str = "mamba_proj_bias"


USUAL = Biases()


def _has_convolution_bias(fields: Fields, biases: Biases) -> bool:
    return biases.convolution is None or fields.flag(biases.convolution, default=True)


def mamba1(fields: Fields, mixer: Recurrence, *, rank: int, convolution_bias: bool, bias: bool) -> int:
    """A Mamba mixer (arXiv 2312.00752): projections in and out, convolution, step sizes of a low `rank`, states."""
    inner = mixer.conv_channels
    state = mixer.state_elements // inner
    return (
        fields.hidden * 2 * inner
        + inner * fields.hidden
        + inner * (mixer.conv_width + (1 if convolution_bias else 0))
        + inner * (rank + 2 * state)
        + (rank + 1) * inner
        + inner * state
        + inner
        + (2 * inner + fields.hidden if bias else 0)
    )


def mamba2(fields: Fields, inner: int, mixer: Recurrence, *, norm: bool = True, biases: Biases = USUAL) -> int:
    """A Mamba-2 mixer (arXiv 2405.21060): input and output projection, convolution, three vectors per head, norm."""
    channels = mixer.conv_channels
    into = inner + channels + mixer.heads
    return (
        fields.hidden * into
        + inner * fields.hidden
        + channels * (mixer.conv_width + (1 if _has_convolution_bias(fields, biases) else 0))
        + 3 * mixer.heads
        + (inner if norm else 0)
        + (into if fields.flag(biases.into, default=False) else 0)
        + (fields.hidden if fields.flag(biases.out, default=False) else 0)
    )


def gated_deltanet(hidden: int, key_heads: int, value_heads: int, key_dim: int, value_dim: int, width: int) -> int:
    """A gated DeltaNet mixer (arXiv 2412.06464) as in Qwen3-Next and Qwen3.5."""
    queries_keys, values = 2 * key_heads * key_dim, value_heads * value_dim
    channels = queries_keys + values
    return (
        hidden * (channels + values + 2 * value_heads)
        + values * hidden
        + channels * width
        + 2 * value_heads
        + value_dim
    )
