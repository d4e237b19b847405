"""Jamba: Mamba-1 layers, an attention layer every so often, experts in every other layer (arXiv 2403.19887)."""

from modicum.energy.memory.architectures.model_shape import ModelShape
from modicum.energy.memory.blueprint import KeyValue, Parameters, Recurrence
from modicum.energy.memory.config import Fields
from modicum.energy.memory.parameters import attention, embeddings, gated_mlp, mamba1


def _remembering(fields: Fields, mixer: Recurrence) -> int:
    """A Mamba mixer with the three norms that Jamba adds."""
    rank = fields.whole_or_auto("mamba_dt_rank", -(-fields.hidden // 16))
    weights = mamba1(
        fields,
        mixer,
        rank=rank,
        convolution_bias=fields.flag("mamba_conv_bias", default=True),
        bias=fields.flag("mamba_proj_bias", default=False),
    )
    return weights + rank + 2 * mixer.state_elements // mixer.conv_channels


def jamba(fields: Fields) -> ModelShape:
    period = fields.whole("attn_layer_period", default=8)
    offset = fields.whole("attn_layer_offset", default=4, least=0)
    expert_period = fields.whole("expert_layer_period", default=2)
    expert_offset = fields.whole("expert_layer_offset", default=1, least=0)
    experts, per_token = fields.experts("num_experts", "num_experts_per_tok")
    inner, dim = fields.whole("mamba_expand", default=2) * fields.hidden, fields.head_dim()
    state, width = fields.whole("mamba_d_state", default=16), fields.conv_width("mamba_d_conv")
    mlp_inner = fields.whole("intermediate_size")
    full = [layer % period == offset for layer in range(fields.layers)]
    # With a single expert there is no router and nothing to choose.
    sparse = sum(1 for layer in range(fields.layers) if layer % expert_period == expert_offset) if experts > 1 else 0
    attend = KeyValue(fields.kv_heads, dim, dim)
    remember = Recurrence("mamba-1", inner, inner * state, inner, width)
    shared = (
        embeddings(fields)
        + sum(full) * attention(fields, fields.kv_heads, dim)
        + (fields.layers - sum(full)) * _remembering(fields, remember)
        + (fields.layers - sparse) * gated_mlp(fields.hidden, mlp_inner)
        + sparse * experts * fields.hidden
        + fields.layers * 2 * fields.hidden
        + fields.hidden
    )
    return ModelShape(
        parameters=Parameters(shared, sparse * experts * gated_mlp(fields.hidden, mlp_inner), experts, per_token),
        mixers=tuple(attend if here else remember for here in full),
        widest_mlp=mlp_inner * (per_token if sparse else 1),
    )
