"""Reads fields of a model's `config.json`, and says which field is missing, wrong or contradicts another.

The raw file is read, not a library's view of it: libraries rename layer types and fill gaps with defaults.
"""

import math
from collections.abc import Mapping
from typing import Any

from modicum.calls.errors import UserError

LAYER_TYPES = {
    "attention": "full",
    "full_attention": "full",
    "sliding_attention": "sliding",
    "chunked_attention": "chunked",
    "conv": "convolution",
    "mamba": "recurrent",
    "linear_attention": "recurrent",
    "hybrid": "both",
}
"""Spellings of one thing: Granite's own files say `mamba`, newer libraries write `linear_attention`."""


MOST_LAYERS = 10_000
MAY_BE_NULL = {
    "num_key_value_heads",
    "num_local_experts",
    "num_experts_per_tok",
    "q_lora_rank",
    "moe_latent_size",
    "mamba_d_ssm",
    "sliding_window",
    "mamba_conv_bias",
    "mamba_proj_bias",
    "projectors_bias",
}
"""Fields that transformers 5 lets be null; any other null it refuses, and so does a plan that would depend on it."""


class Fields:
    """The fields of one config, with the name of the model for messages."""

    def __init__(self, name: str, raw: Mapping[str, Any]) -> None:
        self.name = name
        self.raw = raw

    def fault(self, what: str) -> UserError:
        return UserError(f"{self.name}: {what}; the config.json must be the one published with the model")

    def has(self, field: str) -> bool:
        return self.raw.get(field) is not None

    def whole(self, field: str, *, default: int | None = None, least: int = 1) -> int:
        """A whole number of at least `least`; null counts as left out where the field may be null.

        Raises:
            UserError: it is missing without a default, null, no whole number, or too small.
        """
        value = self.raw.get(field)
        if value is None:
            if field in self.raw and (default is None or field not in MAY_BE_NULL):
                instead = f"a whole number of {least} or more"
                raise self.fault(f"the field {field} is null, where {instead} is expected")
            if default is None:
                raise self.fault(f"the field {field} is missing")
            return default
        if isinstance(value, bool) or not isinstance(value, int):
            raise self.fault(f"the field {field} is {value!r:.40}, not a whole number")
        if value < least:
            raise self.fault(f"the field {field} is {value}, less than {least}")
        return value

    def whole_or_auto(self, field: str, auto: int) -> int:
        """As `whole`; `auto` where the config is silent or says "auto"."""
        return auto if self.raw.get(field) == "auto" else self.whole(field, default=auto)

    def number(self, field: str, *, default: float) -> float:
        """A positive number.

        Raises:
            UserError: it is null, no number, or not above zero.
        """
        value = self.raw.get(field, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < math.inf:
            raise self.fault(f"the field {field} is {value!r:.40}, where a number above zero is expected")
        return float(value)

    def flag(self, field: str, *, default: bool) -> bool:
        """`default` where it is missing; null is false where the field may be null."""
        if field not in self.raw:
            return default
        value = self.raw[field]
        if value is None and field in MAY_BE_NULL:
            return False
        if value is None:
            raise self.fault(f"the field {field} is null, where true or false is expected")
        if not isinstance(value, bool):
            raise self.fault(f"the field {field} is {value!r:.40}, neither true nor false")
        return value

    def text(self, field: str) -> str | None:
        """A name, as of a data type; None where there is none."""
        value = self.raw.get(field)
        if value is not None and not isinstance(value, str):
            raise self.fault(f"the field {field} is {value!r:.40}, where a name in quotes is expected")
        return value

    @property
    def layers(self) -> int:
        """How many layers the model has.

        Raises:
            UserError: missing, or more than any model has: each layer is laid out, so a slip would fill the memory.
        """
        layers = self.whole("num_hidden_layers")
        if layers > MOST_LAYERS:
            raise self.fault(f"the field num_hidden_layers is {layers:,}, more than {MOST_LAYERS:,}")
        return layers

    @property
    def hidden(self) -> int:
        return self.whole("hidden_size")

    @property
    def vocab(self) -> int:
        return self.whole("vocab_size")

    @property
    def heads(self) -> int:
        return self.whole("num_attention_heads")

    @property
    def kv_heads(self) -> int:
        kv_heads = self.whole("num_key_value_heads", default=self.heads)
        if self.heads % kv_heads:
            raise self.fault(f"num_attention_heads is {self.heads}, not a multiple of num_key_value_heads {kv_heads}")
        return kv_heads

    def head_dim(self, *names: str) -> int:
        """The first of `names` that is there, or hidden size over heads."""
        for field in names or ("head_dim",):
            if self.has(field):
                return self.whole(field)
        if self.hidden % self.heads:
            raise self.fault(
                f"head_dim is missing, hidden_size {self.hidden} is not a multiple of num_attention_heads {self.heads}"
            )
        return self.hidden // self.heads

    def experts(self, count: str, chosen: str, *, least: int = 1) -> tuple[int, int]:
        """Routed experts per layer, and how many of them a token takes."""
        experts = self.whole(count, least=least, default=0 if least == 0 else None)
        per_token = self.whole(chosen, least=least, default=0 if least == 0 else None)
        if per_token > experts or bool(per_token) != bool(experts):
            raise self.fault(f"{chosen} is {per_token}, but {count} is {experts}")
        return experts, per_token

    def layer_kinds(self, *, default: list[str] | None = None) -> list[str]:
        """`full`, `sliding`, `recurrent` or `both` for each layer, from `layer_types` in either spelling.

        Raises:
            UserError: missing without a default, of another length than `num_hidden_layers`, or of an unknown kind.
        """
        listed = self.raw.get("layer_types") or self.raw.get("layers_block_type")
        if listed is None:
            if default is None:
                raise self.fault("the field layer_types is missing")
            return default
        if not isinstance(listed, list) or len(listed) != self.layers:
            length = len(listed) if isinstance(listed, list) else repr(listed)[:20]
            raise self.fault(f"layer_types names {length} layers, but num_hidden_layers is {self.layers}")
        unknown = sorted({str(kind) for kind in listed if str(kind) not in LAYER_TYPES})
        if unknown:
            raise UserError(
                f"{self.name}: layer_types has '{unknown[0]}', an architecture that modicum does not know;"
                " its memory is not guessed"
            )
        return [LAYER_TYPES[kind] for kind in listed]

    def window(self) -> int:
        return self.whole("sliding_window")

    def windows(self) -> list[int | None]:
        """Of each layer: by `layer_types` where there is one, else the same everywhere; None where it sees all. The
        field is there and null where it is off.
        """
        window = self.window() if self.has("sliding_window") else None
        if self.has("layer_types"):
            return [self.window() if kind == "sliding" else None for kind in self.layer_kinds()]
        return [window] * self.layers

    def windows_by_pattern(self, every: int) -> list[int | None]:
        """Of each layer: by `layer_types`, else all but every n-th one have a window."""
        pattern = ["full" if (layer + 1) % every == 0 else "sliding" for layer in range(self.layers)]
        return [self.window() if kind == "sliding" else None for kind in self.layer_kinds(default=pattern)]

    def rotating_layers(self) -> list[bool]:
        """Which layers turn positions: by `no_rope_layers` (1 is yes, despite its name), else all but every n-th."""
        listed = self.raw.get("no_rope_layers")
        if not listed:
            every = self.whole("no_rope_layer_interval", default=4)
            return [(layer + 1) % every != 0 for layer in range(self.layers)]
        if not isinstance(listed, list) or len(listed) != self.layers:
            raise self.fault("no_rope_layers is no list with a number for each of num_hidden_layers")
        return [bool(here) for here in listed]

    def conv_width(self, field: str) -> int:
        return self.whole(field, default=4)


TEXT_PARTS = ("text_config", "llm_config", "language_config", "thinker_config")
"""Where multimodal models keep their language model; one may lie in another."""


TEXT_BESIDE = {"gemma3", "gemma3n", "gemma4", "llama4", "qwen3_5", "qwen3_5_moe"}
"""Multimodal models whose language model has their name with `_text`, for parts that do not say what they are."""
OUTER_TIES = {
    "gemma3": True,
    "gemma3n": True,
    "gemma4": True,
    "kimi_k25": True,
    "qwen3_5": False,
    "qwen3_5_moe": False,
}
"""Multimodal models whose own `tie_word_embeddings` decides, not the text part's, and what it is if left out."""
INNER_TIES = {"llama4"}
"""Multimodal models of which the text part alone decides."""


def inner_config(name: str, raw: Any) -> tuple[Fields, tuple[str, ...]]:
    """The language model's part of a config, and what is left out where there is more.

    Raises:
        UserError: it is no config of a model.
    """
    if not isinstance(raw, Mapping):
        raise UserError(f"{name}: not a model's config.json (a JSON object is expected)")
    part = next((field for field in TEXT_PARTS if isinstance(raw.get(field), Mapping)), None)
    if part is not None:
        merged = {
            **({"model_type": f"{raw['model_type']}_text"} if raw.get("model_type") in TEXT_BESIDE else {}),
            **{key: raw[key] for key in ("quantization_config", "torch_dtype", "dtype") if key in raw},
            **raw[part],
        }
        if raw.get("model_type") in OUTER_TIES:
            merged["tie_word_embeddings"] = raw.get("tie_word_embeddings", OUTER_TIES[raw["model_type"]])
        elif (
            raw.get("model_type") not in INNER_TIES
            and "tie_word_embeddings" in raw
            and "tie_word_embeddings" not in raw[part]
        ):
            merged["tie_word_embeddings"] = raw["tie_word_embeddings"]
        inner, _ = inner_config(name, merged)
        return inner, ("weights of the vision or audio part are not counted",)
    return Fields(name, raw), ()
