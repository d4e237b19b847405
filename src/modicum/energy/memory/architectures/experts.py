"""Mixtures of experts with grouped-query attention: Mixtral, Qwen2-MoE and 3, GLM-4.5, MiniMax-M2, gpt-oss."""

import msgspec

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


def _dense_list(fields: Fields) -> list[int]:
    listed = fields.raw.get("mlp_only_layers") or []
    if not isinstance(listed, list):
        raise fields.fault(f"mlp_only_layers is {listed!r:.40}, where a list of layers is expected")
    return listed


def _qwen_moe(fields: Fields, windows: list[int | None], layer: int, beside_experts: int) -> ModelShape:
    """Every `decoder_sparse_step`-th layer has experts, but those in `mlp_only_layers`.

    `layer`: weights of one layer's attention and norms. `beside_experts`: of what a layer with experts has besides.
    """
    experts, per_token = fields.experts("num_experts", "num_experts_per_tok")
    inner, dense_inner = fields.whole("moe_intermediate_size"), fields.whole("intermediate_size")
    step, dense_layers = fields.whole("decoder_sparse_step", default=1), _dense_list(fields)
    sparse = sum(1 for layer in range(fields.layers) if layer not in dense_layers and (layer + 1) % step == 0)
    shared = (
        embeddings(fields)
        + fields.layers * (layer + 2 * fields.hidden)
        + sparse * (experts * fields.hidden + beside_experts)
        + (fields.layers - sparse) * gated_mlp(fields.hidden, dense_inner)
        + fields.hidden
    )
    routed = sparse * experts * gated_mlp(fields.hidden, inner)
    return ModelShape(
        parameters=Parameters(shared, routed, experts, per_token),
        mixers=_attention(fields, windows),
        widest_mlp=per_token * inner if sparse else dense_inner,
    )


def qwen3_moe(fields: Fields) -> ModelShape:
    dim = fields.head_dim()
    norms = 2 * dim
    attend = attention(fields, fields.kv_heads, dim, bias=fields.flag("attention_bias", default=False))
    slides = fields.flag("use_sliding_window", default=False)
    return _qwen_moe(fields, fields.windows() if slides else [None] * fields.layers, attend + norms, 0)


def qwen2_moe(fields: Fields) -> ModelShape:
    """A shared expert behind a gate; windows, where they are on, in every second of the first `max_window_layers`."""
    dim = fields.head_dim()
    bias = (fields.heads + 2 * fields.kv_heads) * dim if fields.flag("qkv_bias", default=True) else 0
    windows: list[int | None] = [None] * fields.layers
    if fields.flag("use_sliding_window", default=False):
        below = fields.whole("max_window_layers", default=28, least=0)
        pattern = ["sliding" if layer % 2 == 0 and layer < below else "full" for layer in range(fields.layers)]
        windows = [fields.window() if kind == "sliding" else None for kind in fields.layer_kinds(default=pattern)]
    shared_inner = fields.whole("shared_expert_intermediate_size")
    beside = gated_mlp(fields.hidden, shared_inner) + fields.hidden
    shape = _qwen_moe(fields, windows, attention(fields, fields.kv_heads, dim) + bias, beside)
    return msgspec.structs.replace(shape, widest_mlp=shape.widest_mlp + shared_inner)


def glm4_moe(fields: Fields) -> ModelShape:
    """The first layers are dense; queries, keys and values may have a bias, the output has none."""
    experts, per_token = fields.experts("n_routed_experts", "num_experts_per_tok")
    dim, hidden, inner = fields.head_dim(), fields.hidden, fields.whole("moe_intermediate_size")
    dense, beside = fields.whole("first_k_dense_replace", least=0), fields.whole("n_shared_experts", default=1, least=0)
    if dense > fields.layers:
        raise fields.fault(f"first_k_dense_replace is {dense}, but num_hidden_layers is {fields.layers}")
    layer = attention(fields, fields.kv_heads, dim) + 2 * hidden
    if fields.flag("attention_bias", default=False):
        layer += (fields.heads + 2 * fields.kv_heads) * dim
    if fields.flag("use_qk_norm", default=False):
        layer += 2 * dim
    sparse, dense_inner = fields.layers - dense, fields.whole("intermediate_size")
    shared = (
        embeddings(fields)
        + fields.layers * layer
        + dense * gated_mlp(hidden, dense_inner)
        + sparse * (experts * hidden + gated_mlp(hidden, beside * inner))
        + hidden
    )
    return ModelShape(
        parameters=Parameters(shared, sparse * experts * gated_mlp(hidden, inner), experts, per_token),
        mixers=_attention(fields, [None] * fields.layers),
        widest_mlp=max((per_token + beside) * inner if sparse else 0, dense_inner if dense else 0),
        notes=("weights of the multi-token prediction layer are not counted",)
        if fields.whole("num_nextn_predict_layers", default=0, least=0)
        else (),
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
