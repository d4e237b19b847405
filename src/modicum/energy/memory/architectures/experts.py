"""Mixtures of experts with grouped-query attention: Mixtral, Qwen3-MoE, MiniMax-M2, gpt-oss."""

from modicum.energy.memory.architectures.model_shape import ModelShape
from modicum.energy.memory.blueprint import KeyValue, Parameters
from modicum.energy.memory.config import Fields
from modicum.energy.memory.parameters import attention, embeddings, gated_mlp


def _attention(fields: Fields, windows: list[int | None]) -> tuple[KeyValue, ...]:
    dim = fields.head_dim()
    return tuple(KeyValue(fields.kv_heads, dim, dim, window) for window in windows)


def mixtral(fields: Fields) -> ModelShape:
    return _experts_in_every_layer(fields)


def _experts_in_every_layer(fields: Fields, norms_of_heads: int = 0, notes: tuple[str, ...] = ()) -> ModelShape:
    experts, per_token = fields.experts("num_local_experts", "num_experts_per_tok")
    inner = fields.whole("intermediate_size")
    layer = (
        attention(fields, fields.kv_heads, fields.head_dim())
        + norms_of_heads
        + experts * fields.hidden  # router
        + 2 * fields.hidden
    )
    shared = embeddings(fields) + fields.layers * layer + fields.hidden
    routed = fields.layers * experts * gated_mlp(fields.hidden, inner)
    return ModelShape(
        parameters=Parameters(shared, routed, experts, per_token),
        mixers=_attention(fields, fields.windows()),
        widest_mlp=per_token * inner,
        notes=notes,
    )


def qwen3_moe(fields: Fields) -> ModelShape:
    """Every `decoder_sparse_step`-th layer has experts, but those in `mlp_only_layers`."""
    experts, per_token = fields.experts("num_experts", "num_experts_per_tok")
    inner, dense_inner = fields.whole("moe_intermediate_size"), fields.whole("intermediate_size")
    step = fields.whole("decoder_sparse_step", default=1)
    dense_layers = fields.raw.get("mlp_only_layers") or []
    if not isinstance(dense_layers, list):
        raise fields.fault(f"mlp_only_layers is {dense_layers!r:.40}, where a list of layers is expected")
    sparse = sum(1 for layer in range(fields.layers) if layer not in dense_layers and (layer + 1) % step == 0)
    dim = fields.head_dim()
    every = (
        attention(fields, fields.kv_heads, dim, bias=fields.flag("attention_bias", default=False))
        + 2 * dim  # query and key norm
        + 2 * fields.hidden
    )
    shared = (
        embeddings(fields)
        + fields.layers * every
        + sparse * experts * fields.hidden
        + (fields.layers - sparse) * gated_mlp(fields.hidden, dense_inner)
        + fields.hidden
    )
    routed = sparse * experts * gated_mlp(fields.hidden, inner)
    slides = fields.flag("use_sliding_window", default=False)
    return ModelShape(
        parameters=Parameters(shared, routed, experts, per_token),
        mixers=_attention(fields, fields.windows() if slides else [None] * fields.layers),
        widest_mlp=per_token * inner if sparse else dense_inner,
    )


def minimax_m2(fields: Fields) -> ModelShape:
    """Norms of queries and keys run over all heads at once."""
    notes = ("weights of the multi-token prediction modules are not counted",) if fields.has("use_mtp") else ()
    return _experts_in_every_layer(fields, (fields.heads + fields.kv_heads) * fields.head_dim(), notes)


def gpt_oss(fields: Fields) -> ModelShape:
    """Alternating windows, a sink per head, biases everywhere, experts included."""
    experts, per_token = fields.experts("num_local_experts", "num_experts_per_tok")
    dim, inner, hidden = fields.head_dim(), fields.whole("intermediate_size"), fields.hidden
    kinds = fields.layer_kinds(default=["sliding" if layer % 2 == 0 else "full" for layer in range(fields.layers)])
    layer = (
        attention(fields, fields.kv_heads, dim, bias=fields.flag("attention_bias", default=True))
        + fields.heads
        + experts * (hidden + 1)  # router with bias
        + 2 * hidden
    )
    shared = embeddings(fields) + fields.layers * layer + hidden
    routed = fields.layers * experts * (gated_mlp(hidden, inner) + 2 * inner + hidden)
    return ModelShape(
        parameters=Parameters(shared, routed, experts, per_token),
        mixers=tuple(
            KeyValue(fields.kv_heads, dim, dim, fields.window() if kind == "sliding" else None) for kind in kinds
        ),
        widest_mlp=per_token * inner,
    )
