"""Gemma 2, 3 and 4: most layers look back through a window, every n-th sees everything."""

from modicum.energy.memory.architectures.model_shape import ModelShape
from modicum.energy.memory.blueprint import KeyValue, Parameters
from modicum.energy.memory.config import Fields
from modicum.energy.memory.parameters import attention, embeddings, gated_mlp


def gemma2(fields: Fields) -> ModelShape:
    dim, inner = fields.head_dim(), fields.whole("intermediate_size")
    layer = (
        attention(fields, fields.kv_heads, dim, bias=fields.flag("attention_bias", default=False))
        + gated_mlp(fields.hidden, inner)
        + 4 * fields.hidden
    )
    return ModelShape(
        parameters=Parameters(embeddings(fields) + fields.layers * layer + fields.hidden),
        mixers=tuple(KeyValue(fields.kv_heads, dim, dim, window) for window in fields.windows_by_pattern(2)),
        widest_mlp=inner,
    )


def gemma3(fields: Fields) -> ModelShape:
    every = fields.whole("sliding_window_pattern", default=6)
    pattern = ["full" if (layer + 1) % every == 0 else "sliding" for layer in range(fields.layers)]
    kinds = fields.layer_kinds(default=pattern)
    dim, inner = fields.head_dim(), fields.whole("intermediate_size")
    layer = (
        attention(fields, fields.kv_heads, dim, bias=fields.flag("attention_bias", default=False))
        + 2 * dim  # query and key norm
        + gated_mlp(fields.hidden, inner)
        + 4 * fields.hidden
    )
    return ModelShape(
        parameters=Parameters(embeddings(fields) + fields.layers * layer + fields.hidden),
        mixers=tuple(
            KeyValue(fields.kv_heads, dim, dim, fields.window() if kind == "sliding" else None) for kind in kinds
        ),
        widest_mlp=inner,
    )


def gemma4(fields: Fields) -> ModelShape:
    """Global layers have their own head size and number of key-value heads. With `attention_k_eq_v` they make values
    from the keys' projection, but norm the two differently and rotate only the keys, so that both are cached.
    """
    for field in ("num_kv_shared_layers", "hidden_size_per_layer_input"):
        if fields.whole(field, default=0, least=0):
            raise fields.fault(f"{field} is not 0: this variant of gemma4 is not known")
    # The last layer sees everything, whatever the list says: the library overrides it.
    kinds = [*fields.layer_kinds()[:-1], "full"]
    bias = fields.flag("attention_bias", default=False)
    narrow, wide = fields.head_dim(), fields.whole("global_head_dim")
    same = fields.flag("attention_k_eq_v", default=False)
    global_kv = fields.whole("num_global_key_value_heads") if same else fields.kv_heads
    full = kinds.count("full")
    inner = fields.whole("intermediate_size")
    shared = (
        embeddings(fields)
        + (fields.layers - full) * (attention(fields, fields.kv_heads, narrow, bias=bias) + 2 * narrow)
        + full * (attention(fields, global_kv, wide, bias=bias, value=not same) + 2 * wide)
        + fields.layers * (gated_mlp(fields.hidden, inner) + 4 * fields.hidden)
        + fields.hidden
    )
    routed = experts = per_token = expert_inner = 0
    if fields.flag("enable_moe_block", default=False):
        experts, per_token = fields.experts("num_experts", "top_k_experts")
        expert_inner = fields.whole("moe_intermediate_size")
        # Three more norms, and a router with a scale per channel and per expert.
        shared += fields.layers * (3 * fields.hidden + fields.hidden + experts + experts * fields.hidden)
        routed = fields.layers * experts * gated_mlp(fields.hidden, expert_inner)
    return ModelShape(
        parameters=Parameters(shared, routed, experts, per_token),
        mixers=tuple(
            KeyValue(fields.kv_heads, narrow, narrow, fields.window())
            if kind == "sliding"
            else KeyValue(global_kv, wide, wide)
            for kind in kinds
        ),
        widest_mlp=inner + per_token * expert_inner,
    )
