"""Dense transformers with grouped-query attention: Llama, Mistral, Qwen, Phi-3, OLMo, SmolLM3, Command R7B."""

from modicum.energy.memory.architectures.model_shape import ModelShape
from modicum.energy.memory.blueprint import KeyValue, Parameters
from modicum.energy.memory.config import Fields
from modicum.energy.memory.parameters import attention, embeddings, gated_mlp


def _dense(
    fields: Fields, windows: list[int | None], *, attention_extra: int, bias: bool = False, mlp_bias: bool = False
) -> ModelShape:
    dim, inner = fields.head_dim(), fields.whole("intermediate_size")
    layer = (
        attention(fields, fields.kv_heads, dim, bias=bias)
        + attention_extra
        + gated_mlp(fields.hidden, inner)
        + 2 * fields.hidden
    )
    if mlp_bias:
        layer += 2 * inner + fields.hidden
    return ModelShape(
        parameters=Parameters(embeddings(fields) + fields.layers * layer + fields.hidden),
        mixers=tuple(KeyValue(fields.kv_heads, dim, dim, window) for window in windows),
        widest_mlp=inner,
    )


def _from_some_layer_on(fields: Fields) -> list[int | None]:
    """Qwen's rule: `use_sliding_window` switches it on, for the layers after the first `max_window_layers`."""
    if fields.has("layer_types"):
        return [fields.window() if kind == "sliding" else None for kind in fields.layer_kinds()]
    if not fields.flag("use_sliding_window", default=False):
        return [None] * fields.layers
    first = fields.whole("max_window_layers", default=28, least=0)
    return [fields.window() if layer >= first else None for layer in range(fields.layers)]


def llama(fields: Fields) -> ModelShape:
    bias, mlp_bias = (fields.flag(field, default=False) for field in ("attention_bias", "mlp_bias"))
    return _dense(fields, fields.windows(), attention_extra=0, bias=bias, mlp_bias=mlp_bias)


def mistral(fields: Fields) -> ModelShape:
    return _dense(fields, fields.windows(), attention_extra=0)


def qwen2(fields: Fields) -> ModelShape:
    """Query, key and value have a bias, the output has none."""
    bias = (fields.heads + 2 * fields.kv_heads) * fields.head_dim()
    return _dense(fields, _from_some_layer_on(fields), attention_extra=bias)


def qwen3(fields: Fields) -> ModelShape:
    norms = 2 * fields.head_dim()
    bias = fields.flag("attention_bias", default=False)
    return _dense(fields, _from_some_layer_on(fields), attention_extra=norms, bias=bias)


def phi3(fields: Fields) -> ModelShape:
    """One matrix makes queries, keys and values, another gate and up: as many weights as apart."""
    return _dense(fields, fields.windows(), attention_extra=0)


def smollm3(fields: Fields) -> ModelShape:
    """Layers without rotary positions are those that may have a window."""
    bias, mlp_bias = (fields.flag(field, default=False) for field in ("attention_bias", "mlp_bias"))
    if fields.has("layer_types"):
        windows = fields.windows()
    elif fields.flag("use_sliding_window", default=False) and fields.has("sliding_window"):
        windows = [None if rotates else fields.window() for rotates in fields.rotating_layers()]
    else:
        windows = [None] * fields.layers
    return _dense(fields, windows, attention_extra=0, bias=bias, mlp_bias=mlp_bias)


def _olmo(fields: Fields, windows: list[int | None]) -> ModelShape:
    """Norms of queries and keys run over all heads at once; the layer's norms follow its parts."""
    norms = (fields.heads + fields.kv_heads) * fields.head_dim()
    bias = fields.flag("attention_bias", default=False)
    return _dense(fields, windows, attention_extra=norms, bias=bias)


def olmo2(fields: Fields) -> ModelShape:
    return _olmo(fields, [None] * fields.layers)


def olmo3(fields: Fields) -> ModelShape:
    return _olmo(fields, fields.windows_by_pattern(4))


def cohere2(fields: Fields) -> ModelShape:
    """Attention and feed-forward part side by side behind one norm. `head_dim` of the config is not used."""
    every = fields.whole("sliding_window_pattern", default=4)
    derived = Fields(fields.name, {key: value for key, value in fields.raw.items() if key != "head_dim"})
    bias = derived.flag("attention_bias", default=False)
    return _dense(derived, derived.windows_by_pattern(every), attention_extra=-derived.hidden, bias=bias)
