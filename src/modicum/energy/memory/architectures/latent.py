"""Multi-head latent attention with routed experts: DeepSeek-V2, V3 and R1, V3.2, Kimi-K2 and K2.5, GLM-5."""

import msgspec

from modicum.energy.memory.architectures.model_shape import ModelShape
from modicum.energy.memory.blueprint import Latent, Parameters
from modicum.energy.memory.config import Fields
from modicum.energy.memory.parameters import embeddings, gated_mlp


def _latent_attention(fields: Fields) -> tuple[int, int]:
    """Weights of one attention layer with its two norms, and the elements that it caches per token."""
    query_rank, rank = fields.whole("q_lora_rank", default=0, least=0), fields.whole("kv_lora_rank")
    plain, rotary = fields.whole("qk_nope_head_dim"), fields.whole("qk_rope_head_dim")
    value, heads, hidden = fields.whole("v_head_dim"), fields.heads, fields.hidden
    if fields.has("qk_head_dim") and fields.whole("qk_head_dim") != plain + rotary:
        raise fields.fault(
            f"qk_head_dim is {fields.whole('qk_head_dim')}, but qk_nope_head_dim + qk_rope_head_dim is {plain + rotary}"
        )
    query = heads * (plain + rotary)
    into_query = hidden * query_rank + query_rank + query_rank * query if query_rank else hidden * query
    weights = (
        into_query
        + hidden * (rank + rotary)
        + rank
        + rank * heads * (plain + value)
        + heads * value * hidden
        + 2 * hidden
        + (query_rank + rank + rotary + hidden if fields.flag("attention_bias", default=False) else 0)
    )
    return weights, rank + rotary


def _indexer(fields: Fields) -> tuple[int, int]:
    """Weights of one sparse-attention indexer, and the elements of its key per token."""
    heads, dim = fields.whole("index_n_heads"), fields.whole("index_head_dim")
    weights = fields.whole("q_lora_rank") * heads * dim + fields.hidden * dim + 2 * dim + fields.hidden * heads
    return weights, dim


def _dense_layers(fields: Fields, *, listed: bool) -> int:
    """Layers without experts: the first ones, or those that `mlp_layer_types` names where the architecture has it."""
    kinds = fields.raw.get("mlp_layer_types") if listed else None
    if kinds is not None:
        if (
            not isinstance(kinds, list)
            or len(kinds) != fields.layers
            or any(kind not in ("dense", "sparse") for kind in kinds)
        ):
            raise fields.fault("mlp_layer_types does not name 'dense' or 'sparse' for each of num_hidden_layers")
        return kinds.count("dense")
    dense = fields.whole("first_k_dense_replace", default=0, least=0)
    if dense > fields.layers:
        raise fields.fault(f"first_k_dense_replace is {dense}, but num_hidden_layers is {fields.layers}")
    return dense


def _model(fields: Fields, *, indexed: bool) -> ModelShape:
    attention, latent_dim = _latent_attention(fields)
    index_weights, index_dim = _indexer(fields) if indexed else (0, 0)
    experts, per_token = fields.experts("n_routed_experts", "num_experts_per_tok")
    dense = _dense_layers(fields, listed=indexed)
    if fields.whole("moe_layer_freq", default=1) != 1:
        raise fields.fault("moe_layer_freq is not 1: this variant is not known")
    mlp_bias = fields.raw.get("model_type") == "deepseek_v2" and fields.flag("mlp_bias", default=False)
    inner, shared_experts = fields.whole("moe_intermediate_size"), fields.whole("n_shared_experts", default=1, least=0)
    sparse, dense_inner = fields.layers - dense, fields.whole("intermediate_size")
    bias = dense * (2 * dense_inner + fields.hidden) + sparse * (2 * shared_experts * inner + fields.hidden)
    shared = (
        embeddings(fields)
        + fields.layers * (attention + index_weights)
        + dense * gated_mlp(fields.hidden, dense_inner)
        + sparse * (experts * fields.hidden + gated_mlp(fields.hidden, shared_experts * inner))
        + (bias if mlp_bias else 0)
        + fields.hidden
    )
    return ModelShape(
        parameters=Parameters(shared, sparse * experts * gated_mlp(fields.hidden, inner), experts, per_token),
        mixers=(Latent(latent_dim, index_dim),) * fields.layers,
        widest_mlp=(per_token + shared_experts) * inner,
        notes=("weights of the multi-token prediction layer are not counted",)
        if fields.whole("num_nextn_predict_layers", default=0, least=0)
        else (),
    )


def deepseek_v3(fields: Fields) -> ModelShape:
    return _model(fields, indexed=False)


deepseek_v2 = deepseek_v3


def kimi_k2(fields: Fields) -> ModelShape:
    """Published with code of its own; transformers loads it as DeepSeek-V3, whose fields it has."""
    shape = deepseek_v3(fields)
    return msgspec.structs.replace(
        shape, notes=(*shape.notes, "counted by the class of deepseek_v3, as which transformers loads kimi_k2")
    )


def deepseek_v32(fields: Fields) -> ModelShape:
    return _model(fields, indexed=True)


def glm_moe_dsa(fields: Fields) -> ModelShape:
    """Refuses configs whose layers share an indexer: they keep fewer index keys."""
    kinds = fields.raw.get("indexer_types")
    if kinds is not None and not (isinstance(kinds, list) and all(kind == "full" for kind in kinds)):
        raise fields.fault("indexer_types is not 'full' in every layer: this variant of glm_moe_dsa is not known")
    return _model(fields, indexed=True)
