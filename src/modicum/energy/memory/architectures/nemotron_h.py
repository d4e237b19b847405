"""Nemotron-H and Nemotron 3: one mixer per layer, by a pattern of letters (arXiv 2504.03624)."""

from modicum.energy.memory.architectures.model_shape import ModelShape
from modicum.energy.memory.blueprint import KeyValue, Mixer, Parameters, Recurrence
from modicum.energy.memory.config import Fields
from modicum.energy.memory.parameters import Biases, attention, embeddings, mamba2

LETTERS = {"M": "mamba", "*": "attention", "-": "mlp", "E": "experts"}


def _pattern(fields: Fields) -> str:
    pattern = fields.raw.get("hybrid_override_pattern")
    if not isinstance(pattern, str):
        raise fields.fault("the field hybrid_override_pattern is missing")
    if len(pattern) != fields.layers:
        raise fields.fault(
            f"hybrid_override_pattern names {len(pattern)} layers, but num_hidden_layers is {fields.layers}"
        )
    unknown = sorted(set(pattern) - set(LETTERS))
    if unknown:
        raise fields.fault(f"hybrid_override_pattern has '{unknown[0]}', a layer that modicum does not know")
    return pattern


def _experts(fields: Fields) -> tuple[int, int, int, int, int]:
    """Weights of one expert layer outside of its routed experts, weights of the routed ones, experts, experts per
    token, inner width that a token passes. Two projections each; the routed ones may work in a narrower space.
    """
    experts, per_token = fields.experts("n_routed_experts", "num_experts_per_tok")
    inner, shared_inner = fields.whole("moe_intermediate_size"), fields.whole("moe_shared_expert_intermediate_size")
    latent = fields.whole("moe_latent_size", default=0, least=0)
    count = fields.whole("n_shared_experts", default=1, least=0)
    beside = experts * fields.hidden + count * 2 * fields.hidden * shared_inner + 2 * fields.hidden * latent
    if fields.flag("mlp_bias", default=False):
        beside += count * (shared_inner + fields.hidden) + (latent + fields.hidden if latent else 0)
    routed = experts * 2 * (latent or fields.hidden) * inner
    return beside, routed, experts, per_token, per_token * inner + count * shared_inner


def nemotron_h(fields: Fields) -> ModelShape:
    pattern = _pattern(fields)
    heads, head_dim = fields.whole("mamba_num_heads"), fields.whole("mamba_head_dim")
    state, groups, width = fields.whole("ssm_state_size"), fields.whole("n_groups"), fields.conv_width("conv_kernel")
    inner = heads * head_dim
    dim = fields.head_dim("head_dim", "attention_head_dim")
    mlp_inner = fields.whole("intermediate_size")
    beside = routed = experts = per_token = expert_inner = 0
    if "E" in pattern:
        beside, routed, experts, per_token, expert_inner = _experts(fields)
    remember = Recurrence("mamba-2", heads, inner * state, inner + 2 * groups * state, width)
    conv_bias = "mamba_conv_bias" if "mamba_conv_bias" in fields.raw else "use_conv_bias"  # two names of one field
    mlp_bias = fields.flag("mlp_bias", default=False)
    weights = {
        "M": mamba2(fields, inner, remember, biases=Biases(conv_bias, "use_bias", "use_bias")),
        "*": attention(fields, fields.kv_heads, dim),  # without bias, whatever attention_bias says
        "-": 2 * fields.hidden * mlp_inner + (mlp_inner + fields.hidden if mlp_bias else 0),
        "E": beside,
    }
    shared = (
        embeddings(fields)
        + sum(pattern.count(letter) * (count + fields.hidden) for letter, count in weights.items())
        + fields.hidden
    )
    mixers: dict[str, Mixer] = {
        "M": remember,
        "*": KeyValue(fields.kv_heads, dim, dim),
    }
    return ModelShape(
        parameters=Parameters(shared, pattern.count("E") * routed, experts, per_token),
        mixers=tuple(mixers[letter] for letter in pattern if letter in mixers),
        widest_mlp=max(expert_inner, mlp_inner if "-" in pattern else 0),
        state_dtype=fields.text("mamba_ssm_cache_dtype"),
        notes=("weights of the multi-token prediction layers are not counted",)
        if fields.whole("num_nextn_predict_layers", default=0, least=0)
        else (),
    )
