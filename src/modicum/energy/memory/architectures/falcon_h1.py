"""Falcon-H1: attention and Mamba-2 side by side in every layer (arXiv 2507.22448)."""

from modicum.energy.memory.architectures.model_shape import ModelShape
from modicum.energy.memory.blueprint import KeyValue, Parameters, Recurrence
from modicum.energy.memory.config import Fields
from modicum.energy.memory.parameters import Biases, attention, embeddings, gated_mlp, mamba2


def falcon_h1(fields: Fields) -> ModelShape:
    inner = fields.whole("mamba_d_ssm", default=fields.whole("mamba_expand", default=2) * fields.hidden)
    heads = fields.whole("mamba_n_heads")
    head_dim = fields.whole_or_auto("mamba_d_head", inner // heads)
    if heads * head_dim != inner:
        raise fields.fault(f"mamba_n_heads x mamba_d_head is {heads * head_dim}, but mamba_d_ssm is {inner}")
    groups, state = fields.whole("mamba_n_groups", default=1), fields.whole("mamba_d_state")
    width, dim = fields.conv_width("mamba_d_conv"), fields.head_dim()
    norm = fields.flag("mamba_rms_norm", default=False)
    mlp_inner = fields.whole("intermediate_size")
    remember = Recurrence("mamba-2", heads, inner * state, inner + 2 * groups * state, width)
    layer = (
        attention(fields, fields.kv_heads, dim, bias=fields.flag("attention_bias", default=False))
        + mamba2(fields, inner, remember, norm=norm, biases=Biases(out="projectors_bias"))
        + (2 * mlp_inner + fields.hidden if fields.flag("mlp_bias", default=False) else 0)
        + gated_mlp(fields.hidden, mlp_inner)
        + 2 * fields.hidden
    )
    pair = (
        KeyValue(fields.kv_heads, dim, dim),
        remember,
    )
    return ModelShape(
        parameters=Parameters(embeddings(fields) + fields.layers * layer + fields.hidden),
        mixers=pair * fields.layers,
        widest_mlp=mlp_inner,
    )
