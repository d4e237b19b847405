"""Zamba2: Mamba-2 layers, some of which also pass one of a few shared attention blocks (arXiv 2411.15242)."""

from modicum.energy.memory.architectures.model_shape import ModelShape
from modicum.energy.memory.blueprint import KeyValue, Mixer, Parameters, Recurrence
from modicum.energy.memory.config import Fields
from modicum.energy.memory.parameters import Biases, embeddings, mamba2


def _shared_block(fields: Fields, dim: int, inner: int) -> int:
    """One shared block: attention over the layer's and the model's input, so twice as wide, and a feed-forward part."""
    hidden, wide = fields.hidden, 2 * fields.hidden
    attend = wide * (fields.heads + 2 * fields.kv_heads) * dim + fields.heads * dim * hidden
    bias = 2 * inner + hidden if fields.flag("add_bias_linear", default=False) else 0
    return attend + 3 * hidden * inner + bias + wide + hidden


def _passing(fields: Fields, inner: int) -> int:
    """Weights of one layer that passes a shared block: what adapts the block to it, and the way out."""
    hidden, rank = fields.hidden, fields.whole("adapter_rank", default=128)
    adapters = hidden * rank + rank * 2 * inner
    if fields.flag("use_shared_attention_adapter", default=False):
        adapters += 3 * 4 * hidden * rank
    return adapters + hidden**2


def zamba2(fields: Fields) -> ModelShape:
    if not fields.flag("tie_word_embeddings", default=True):
        raise fields.fault(
            "tie_word_embeddings is false, with which the blocks are not shared: this variant is not known"
        )
    kinds = fields.layer_kinds()
    if set(kinds) - {"recurrent", "both"}:
        raise fields.fault("layers_block_type has layers that are neither mamba nor hybrid: this variant is not known")
    if 2 * fields.hidden % fields.heads:
        raise fields.fault(f"num_attention_heads is {fields.heads}, which does not divide 2 x hidden_size")
    inner = fields.whole("mamba_expand", default=2) * fields.hidden
    heads, groups = fields.whole("n_mamba_heads", default=8), fields.whole("mamba_ngroups", default=1)
    if inner % heads:
        raise fields.fault(f"n_mamba_heads is {heads}, which does not divide mamba_expand x hidden_size")
    state, width = fields.whole("mamba_d_state", default=64), fields.conv_width("mamba_d_conv")
    mlp_inner = fields.whole("intermediate_size", default=4 * fields.hidden)
    passing, dim = kinds.count("both"), 2 * fields.hidden // fields.heads
    remember = Recurrence("mamba-2", heads, inner * state, inner + 2 * groups * state, width)
    biases = Biases(None, "add_bias_linear", "add_bias_linear")
    shared = (
        embeddings(fields)
        + fields.layers * (mamba2(fields, inner, remember, biases=biases) + fields.hidden)
        + min(passing, fields.whole("num_mem_blocks", default=1)) * _shared_block(fields, dim, mlp_inner)
        + passing * _passing(fields, mlp_inner)
        + fields.hidden
    )
    mixers: list[Mixer] = []
    for kind in kinds:
        mixers += [KeyValue(fields.kv_heads, dim, dim), remember] if kind == "both" else [remember]
    return ModelShape(parameters=Parameters(shared), mixers=tuple(mixers), widest_mlp=mlp_inner)
