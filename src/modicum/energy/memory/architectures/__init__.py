"""One file per family of architectures: published fields in, `Blueprint` out.

To teach modicum an architecture, add a function here; what is not in the table is refused by name.
"""

from collections.abc import Callable

import msgspec

from modicum.calls.errors import UserError, accepted_are
from modicum.energy.memory.architectures import (
    dense,
    experts,
    falcon_h1,
    gemma,
    gemma3n,
    granite_hybrid,
    jamba,
    latent,
    lfm2,
    llama4,
    mamba,
    nemotron_h,
    qwen_hybrid,
    zamba2,
)
from modicum.energy.memory.architectures.model_shape import ModelShape
from modicum.energy.memory.config import Fields

ARCHITECTURES: dict[str, Callable[[Fields], ModelShape]] = {
    "llama": dense.llama,
    "mistral": dense.mistral,
    "qwen2": dense.qwen2,
    "qwen3": dense.qwen3,
    "phi3": dense.phi3,
    "olmo2": dense.olmo2,
    "olmo3": dense.olmo3,
    "smollm3": dense.smollm3,
    "cohere2": dense.cohere2,
    "mixtral": experts.mixtral,
    "qwen2_moe": experts.qwen2_moe,
    "qwen3_moe": experts.qwen3_moe,
    "minimax_m2": experts.minimax_m2,
    "gpt_oss": experts.gpt_oss,
    "glm4_moe": experts.glm4_moe,
    "llama4_text": llama4.llama4,
    "gemma2": gemma.gemma2,
    "gemma3_text": gemma.gemma3,
    "gemma3n_text": gemma3n.gemma3n,
    "gemma4_text": gemma.gemma4,
    "granitemoehybrid": granite_hybrid.granite,
    "bamba": granite_hybrid.bamba,
    "nemotron_h": nemotron_h.nemotron_h,
    "falcon_h1": falcon_h1.falcon_h1,
    "jamba": jamba.jamba,
    "lfm2": lfm2.lfm2,
    "mamba": mamba.mamba,
    "zamba2": zamba2.zamba2,
    "qwen3_next": qwen_hybrid.qwen3_next,
    "qwen3_5_text": qwen_hybrid.qwen3_5,
    "qwen3_5_moe_text": qwen_hybrid.qwen3_5_moe,
    "deepseek_v2": latent.deepseek_v2,
    "deepseek_v3": latent.deepseek_v3,
    "kimi_k2": latent.kimi_k2,
    "deepseek_v32": latent.deepseek_v32,
    "glm_moe_dsa": latent.glm_moe_dsa,
}
"""`model_type` of a config to the function that reads it."""


GROUPED = {"num_key_value_heads": 8}
LIBRARY_DEFAULTS: dict[str, dict[str, int]] = {
    "mistral": {**GROUPED, "sliding_window": 4096},
    "mixtral": GROUPED,
    "qwen2": {"num_key_value_heads": 32},
    "qwen3": {"num_key_value_heads": 32, "head_dim": 128},
    "qwen3_moe": {"num_key_value_heads": 4},
    "minimax_m2": {"num_key_value_heads": 8, "head_dim": 128},
    "smollm3": {"num_key_value_heads": 4},
    "olmo3": {"sliding_window": 4096},
    "cohere2": {"sliding_window": 4096},
    "qwen2_moe": {"num_key_value_heads": 16},
    "glm4_moe": {"num_key_value_heads": 8, "first_k_dense_replace": 1},
    "llama4_text": {
        "num_key_value_heads": 8,
        "head_dim": 128,
        "num_local_experts": 16,
        "num_experts_per_tok": 1,
        "intermediate_size_mlp": 16_384,
        "attention_chunk_size": 8192,
    },
    "gpt_oss": {"num_key_value_heads": 8, "head_dim": 64},
    "gemma2": {"num_key_value_heads": 4, "head_dim": 256, "sliding_window": 4096},
    "gemma3n_text": {
        "num_key_value_heads": 2,
        "head_dim": 256,
        "sliding_window": 512,
        "vocab_size_per_layer_input": 262_144,
        "hidden_size_per_layer_input": 256,
        "num_kv_shared_layers": 15,
        "altup_num_inputs": 4,
        "laurel_rank": 64,
    },
    "gemma3_text": {"num_key_value_heads": 4, "head_dim": 256},
    "gemma4_text": {"num_key_value_heads": 4, "head_dim": 256, "hidden_size_per_layer_input": 256},
    "granitemoehybrid": {"num_local_experts": 8, "num_experts_per_tok": 2},
    "bamba": GROUPED,
    "nemotron_h": {"num_key_value_heads": 8, "head_dim": 128},
    "falcon_h1": GROUPED,
    "jamba": GROUPED,
    "qwen3_next": {"num_key_value_heads": 2, "head_dim": 256},
    "qwen3_5_text": {"num_key_value_heads": 4, "head_dim": 256},
    "qwen3_5_moe_text": {"num_key_value_heads": 2, "head_dim": 256},
    "lfm2": {"num_key_value_heads": 8, "conv_L_cache": 3},
    "deepseek_v2": {"q_lora_rank": 1536, "n_shared_experts": 2},
    "kimi_k2": {"first_k_dense_replace": 3, "q_lora_rank": 1536},
    "deepseek_v3": {"first_k_dense_replace": 3, "q_lora_rank": 1536},
    "deepseek_v32": {"first_k_dense_replace": 3},
    "glm_moe_dsa": {"first_k_dense_replace": 3},
}
"""What transformers 5 takes where a config leaves a field out, if that is not what follows from the other fields."""
NEVER_NULL = {"num_key_value_heads", "head_dim"}


def _fill_defaults(fields: Fields, model_type: str) -> tuple[Fields, tuple[str, ...]]:
    """The config as the library reads it, and what was added."""
    added = {key: value for key, value in LIBRARY_DEFAULTS.get(model_type, {}).items() if key not in fields.raw}
    if "attention_head_dim" in fields.raw:
        added.pop("head_dim", None)
    for key in NEVER_NULL & set(LIBRARY_DEFAULTS.get(model_type, {})):
        if key in fields.raw and fields.raw[key] is None:
            raise fields.fault(f"the field {key} is null, which {model_type} does not allow")
    notes = tuple(f"the config has no {key}; {value} is used, as transformers does" for key, value in added.items())
    return Fields(fields.name, {**fields.raw, **added}), notes


def read_shape(fields: Fields) -> ModelShape:
    """Reads the fields of a config with the function of its architecture.

    Raises:
        UserError: the architecture is not known, or the config is incomplete or contradicts itself.
    """
    model_type = fields.raw.get("model_type")
    if not isinstance(model_type, str):
        raise fields.fault("the field model_type is missing")
    read = ARCHITECTURES.get(model_type)
    if read is None:
        raise UserError(
            f"{fields.name}: modicum does not know the architecture '{model_type}' and does not guess its memory;"
            f" {accepted_are(sorted(ARCHITECTURES))}"
        )
    completed, notes = _fill_defaults(fields, model_type)
    anatomy = read(completed)
    return msgspec.structs.replace(anatomy, notes=anatomy.notes + notes)
