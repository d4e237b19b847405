"""Llama 4: chunked attention but for every n-th layer, experts in all layers or in every second."""

from modicum.energy.memory.architectures.model_shape import ModelShape
from modicum.energy.memory.blueprint import KeyValue, Parameters
from modicum.energy.memory.config import Fields
from modicum.energy.memory.parameters import attention, embeddings, gated_mlp


def _sparse_layers(fields: Fields) -> int:
    listed = fields.raw.get("moe_layers")
    if listed is None:
        step = fields.whole("interleave_moe_layer_step", default=1)
        return len(range(step - 1, fields.layers, step))
    if not isinstance(listed, list):
        raise fields.fault(f"moe_layers is {listed!r:.40}, where a list of layers is expected")
    return sum(1 for layer in range(fields.layers) if layer in listed)


def llama4(fields: Fields) -> ModelShape:
    """Every sparse layer has one more expert, of the same width, that each token passes."""
    experts, per_token = fields.experts("num_local_experts", "num_experts_per_tok")
    inner, dense_inner = fields.whole("intermediate_size"), fields.whole("intermediate_size_mlp")
    dim, sparse = fields.head_dim(), _sparse_layers(fields)
    if fields.has("layer_types"):
        chunked = [kind == "chunked" for kind in fields.layer_kinds()]
    else:
        chunked = fields.rotating_layers()
    bias = fields.flag("attention_bias", default=False)
    shared = (
        embeddings(fields)
        + fields.layers * (attention(fields, fields.kv_heads, dim, bias=bias) + 2 * fields.hidden)
        + sparse * (experts * fields.hidden + gated_mlp(fields.hidden, inner))
        + (fields.layers - sparse) * gated_mlp(fields.hidden, dense_inner)
        + fields.hidden
    )
    return ModelShape(
        parameters=Parameters(shared, sparse * experts * gated_mlp(fields.hidden, inner), experts, per_token),
        mixers=tuple(
            KeyValue(fields.kv_heads, dim, dim, fields.whole("attention_chunk_size") if here else None)
            for here in chunked
        ),
        widest_mlp=max((per_token + 1) * inner if sparse else 0, dense_inner if sparse < fields.layers else 0),
    )
