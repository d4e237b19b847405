"""One file per family of architectures: published fields in, `Blueprint` out.

To teach modicum an architecture, add a function here; what is not in the table is refused by name.
"""

from collections.abc import Callable

from modicum.calls.errors import UserError
from modicum.energy.memory.architectures import (
    dense,
    experts,
    falcon_h1,
    gemma,
    granite_hybrid,
    jamba,
    latent,
    nemotron_h,
    qwen_hybrid,
)
from modicum.energy.memory.architectures.anatomy import Anatomy
from modicum.energy.memory.config import Fields

ARCHITECTURES: dict[str, Callable[[Fields], Anatomy]] = {
    "llama": dense.llama,
    "mistral": dense.mistral,
    "qwen2": dense.qwen2,
    "qwen3": dense.qwen3,
    "mixtral": experts.mixtral,
    "qwen3_moe": experts.qwen3_moe,
    "minimax_m2": experts.minimax_m2,
    "gpt_oss": experts.gpt_oss,
    "gemma3_text": gemma.gemma3,
    "gemma4_text": gemma.gemma4,
    "granitemoehybrid": granite_hybrid.granite,
    "bamba": granite_hybrid.bamba,
    "nemotron_h": nemotron_h.nemotron_h,
    "falcon_h1": falcon_h1.falcon_h1,
    "jamba": jamba.jamba,
    "qwen3_next": qwen_hybrid.qwen3_next,
    "qwen3_5_text": qwen_hybrid.qwen3_5,
    "qwen3_5_moe_text": qwen_hybrid.qwen3_5_moe,
    "deepseek_v3": latent.deepseek_v3,
    "deepseek_v32": latent.deepseek_v32,
    "glm_moe_dsa": latent.glm_moe_dsa,
}
"""`model_type` of a config to the function that reads it."""


def anatomy_of(fields: Fields) -> Anatomy:
    """Raises:
    UserError: the architecture is not known, or the config is incomplete or contradicts itself.
    """
    model_type = fields.raw.get("model_type")
    if not isinstance(model_type, str):
        raise fields.fault("the field model_type is missing")
    read = ARCHITECTURES.get(model_type)
    if read is None:
        raise UserError(
            f"{fields.name}: modicum does not know the architecture '{model_type}' and does not guess its memory;"
            f" it knows {', '.join(sorted(ARCHITECTURES))}"
        )
    return read(fields)
