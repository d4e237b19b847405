"""Granite 4.0 and Bamba: Mamba-2 layers with a few attention layers between them; Granite with experts or without."""

from modicum.energy.memory.architectures.model_shape import ModelShape
from modicum.energy.memory.blueprint import KeyValue, Mixer, Parameters, Recurrence
from modicum.energy.memory.config import Fields
from modicum.energy.memory.parameters import attention, embeddings, gated_mlp, mamba2


def _recurrence(fields: Fields) -> tuple[Recurrence, int]:
    """A Mamba-2 mixer and its weights."""
    inner = fields.whole("mamba_expand", default=2) * fields.hidden
    heads = fields.whole("mamba_n_heads", default=128)
    head_dim = fields.whole_or_auto("mamba_d_head", inner // heads)
    if heads * head_dim != inner:
        raise fields.fault(
            f"mamba_n_heads x mamba_d_head is {heads * head_dim}, but mamba_expand x hidden_size is {inner}"
        )
    groups, state = fields.whole("mamba_n_groups", default=1), fields.whole("mamba_d_state", default=256)
    width = fields.conv_width("mamba_d_conv")
    mixer = Recurrence("mamba-2", heads, inner * state, inner + 2 * groups * state, width)
    return mixer, mamba2(fields, inner, mixer)


def _mixers(fields: Fields, kinds: list[str], recurrence: Recurrence | None) -> tuple[Mixer, ...]:
    dim = fields.head_dim("head_dim")
    attend = KeyValue(fields.kv_heads, dim, dim)
    return tuple(recurrence if kind == "recurrent" and recurrence else attend for kind in kinds)


def granite(fields: Fields) -> ModelShape:
    kinds = fields.layer_kinds()
    recurrent = kinds.count("recurrent")
    # A dense Granite carries Mamba fields that nothing uses and that fit nothing.
    recurrence, mamba_weights = _recurrence(fields) if recurrent else (None, 0)
    experts, per_token = (0, 0)
    if fields.whole("num_local_experts", least=0):
        experts, per_token = fields.experts("num_local_experts", "num_experts_per_tok")
    shared_inner, inner = fields.whole("shared_intermediate_size"), fields.whole("intermediate_size")
    layer = gated_mlp(fields.hidden, shared_inner) + experts * fields.hidden + 2 * fields.hidden
    attend = attention(fields, fields.kv_heads, fields.head_dim(), bias=fields.flag("attention_bias", default=False))
    shared = (
        embeddings(fields)
        + fields.layers * layer
        + recurrent * mamba_weights
        + (fields.layers - recurrent) * attend
        + fields.hidden
    )
    return ModelShape(
        parameters=Parameters(shared, fields.layers * experts * gated_mlp(fields.hidden, inner), experts, per_token),
        mixers=_mixers(fields, kinds, recurrence),
        widest_mlp=shared_inner + per_token * inner,
    )


def bamba(fields: Fields) -> ModelShape:
    at = fields.raw.get("attn_layer_indices")
    if not isinstance(at, list) or any(not isinstance(layer, int) or not 0 <= layer < fields.layers for layer in at):
        raise fields.fault("attn_layer_indices is missing or names a layer that does not exist")
    kinds = ["full" if layer in at else "recurrent" for layer in range(fields.layers)]
    recurrence, mamba_weights = _recurrence(fields)
    inner = fields.whole("intermediate_size")
    attend = attention(fields, fields.kv_heads, fields.head_dim(), bias=fields.flag("attention_bias", default=False))
    mlp = gated_mlp(fields.hidden, inner)
    if fields.flag("mlp_bias", default=False):
        mlp += 2 * inner + fields.hidden
    full = kinds.count("full")
    shared = (
        embeddings(fields)
        + fields.layers * (mlp + 2 * fields.hidden)
        + (fields.layers - full) * mamba_weights
        + full * attend
        + fields.hidden
    )
    return ModelShape(parameters=Parameters(shared), mixers=_mixers(fields, kinds, recurrence), widest_mlp=inner)
