"""Qwen3-Next and Qwen3.5: three gated DeltaNet layers, then one with gated attention."""

from modicum.energy.memory.architectures.model_shape import ModelShape
from modicum.energy.memory.blueprint import KeyValue, Parameters, Recurrence
from modicum.energy.memory.config import Fields
from modicum.energy.memory.parameters import attention, embeddings, gated_deltanet, gated_mlp


def _mixing(fields: Fields) -> tuple[int, list[KeyValue | Recurrence]]:
    """Weights of all mixers with their norms, and the mixers."""
    interval = fields.whole("full_attention_interval", default=4)
    pattern = ["full" if (layer + 1) % interval == 0 else "recurrent" for layer in range(fields.layers)]
    kinds = fields.layer_kinds(default=pattern)
    if set(kinds) - {"full", "recurrent"}:
        raise fields.fault("layer_types has windows: this variant is not known")
    bias = fields.flag("attention_bias", default=False)
    key_heads, value_heads = fields.whole("linear_num_key_heads"), fields.whole("linear_num_value_heads")
    key_dim, value_dim = fields.whole("linear_key_head_dim"), fields.whole("linear_value_head_dim")
    if value_heads % key_heads:
        raise fields.fault(
            f"linear_num_value_heads is {value_heads}, not a multiple of linear_num_key_heads {key_heads}"
        )
    width, dim = fields.conv_width("linear_conv_kernel_dim"), fields.head_dim()
    attend = KeyValue(fields.kv_heads, dim, dim)
    remember = Recurrence(
        "gated-deltanet",
        value_heads,
        value_heads * key_dim * value_dim,
        2 * key_heads * key_dim + value_heads * value_dim,
        width,
    )
    full = kinds.count("full")
    weights = (
        full * (attention(fields, fields.kv_heads, dim, bias=bias, gated=True) + 2 * dim)
        + (fields.layers - full) * gated_deltanet(fields.hidden, key_heads, value_heads, key_dim, value_dim, width)
        + fields.layers * 2 * fields.hidden
    )
    return weights, [attend if kind == "full" else remember for kind in kinds]


def _notes(fields: Fields) -> tuple[str, ...]:
    if fields.whole("mtp_num_hidden_layers", default=0, least=0):
        return ("weights of the multi-token prediction layers are not counted",)
    return ()


def qwen3_5(fields: Fields) -> ModelShape:
    weights, mixers = _mixing(fields)
    inner = fields.whole("intermediate_size")
    total = embeddings(fields) + weights + fields.layers * gated_mlp(fields.hidden, inner) + fields.hidden
    return ModelShape(
        parameters=Parameters(total),
        mixers=tuple(mixers),
        widest_mlp=inner,
        state_dtype=fields.text("mamba_ssm_dtype"),
        notes=_notes(fields),
    )


def qwen3_5_moe(fields: Fields) -> ModelShape:
    """Every layer has routed experts, and a shared one behind a gate."""
    if fields.raw.get("mlp_only_layers") or fields.whole("decoder_sparse_step", default=1) != 1:
        raise fields.fault("mlp_only_layers or decoder_sparse_step leave out experts: this variant is not known")
    weights, mixers = _mixing(fields)
    experts, per_token = fields.experts("num_experts", "num_experts_per_tok")
    inner, shared_inner = fields.whole("moe_intermediate_size"), fields.whole("shared_expert_intermediate_size")
    beside = experts * fields.hidden + gated_mlp(fields.hidden, shared_inner) + fields.hidden
    shared = embeddings(fields) + weights + fields.layers * beside + fields.hidden
    return ModelShape(
        parameters=Parameters(shared, fields.layers * experts * gated_mlp(fields.hidden, inner), experts, per_token),
        mixers=tuple(mixers),
        widest_mlp=per_token * inner + shared_inner,
        state_dtype=fields.text("mamba_ssm_dtype"),
        notes=_notes(fields),
    )


qwen3_next = qwen3_5_moe
