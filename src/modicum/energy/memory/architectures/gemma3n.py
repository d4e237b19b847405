"""Gemma 3n: nested feed-forward widths, an embedding per layer, and a last part whose layers share keys and values."""

from modicum.energy.memory.architectures.model_shape import ModelShape
from modicum.energy.memory.blueprint import KeyValue, Parameters
from modicum.energy.memory.config import Fields
from modicum.energy.memory.parameters import attention, embeddings, gated_mlp


def _inner_widths(fields: Fields) -> list[int]:
    """Feed-forward width of each layer; one number stands for all."""
    listed = fields.raw.get("intermediate_size")
    if not isinstance(listed, list):
        return [fields.whole("intermediate_size")] * fields.layers
    if len(listed) != fields.layers or any(
        isinstance(one, bool) or not isinstance(one, int) or one < 1 for one in listed
    ):
        raise fields.fault("intermediate_size does not give a whole number for each of num_hidden_layers")
    return listed


def _beside_layers(fields: Fields, per_layer: int) -> int:
    """The second input table and its projection, and the projections between the parallel residual streams."""
    streams, across = fields.whole("altup_num_inputs"), fields.layers * per_layer
    tables = fields.whole("vocab_size_per_layer_input") * across + fields.hidden * across + per_layer
    return tables + 2 * (streams - 1) * fields.hidden**2


def gemma3n(fields: Fields) -> ModelShape:
    """The last `num_kv_shared_layers` make queries only and cache nothing."""
    kinds = fields.windows_by_pattern(5)
    sharing = fields.whole("num_kv_shared_layers", least=0)
    own = fields.layers - sharing
    if own < 1 or {window is None for window in kinds[:own]} != {window is None for window in kinds}:
        raise fields.fault(
            f"num_kv_shared_layers is {sharing}: no layer of the same kind is left whose keys they share"
        )
    dim, widths, hidden = fields.head_dim(), _inner_widths(fields), fields.hidden
    per_layer, rank = fields.whole("hidden_size_per_layer_input"), fields.whole("laurel_rank")
    streams = fields.whole("altup_num_inputs")
    bias = fields.flag("attention_bias", default=False)
    not_made = 2 * fields.kv_heads * dim * (hidden + (1 if bias else 0)) + dim  # keys, values, norm of keys
    layer = (
        attention(fields, fields.kv_heads, dim, bias=bias)
        + 2 * dim
        + 4 * hidden
        + 2 * hidden * rank
        + hidden  # norm of the low-rank branch
        + streams**2
        + streams**3
        + hidden * streams
        + 2 * hidden  # scale and router norm of the parallel streams
        + 2 * hidden * per_layer
        + hidden
    )
    shared = (
        embeddings(fields)
        + _beside_layers(fields, per_layer)
        + fields.layers * layer
        - sharing * not_made
        + sum(gated_mlp(hidden, width) for width in widths)
        + hidden
    )
    return ModelShape(
        parameters=Parameters(shared),
        mixers=tuple(KeyValue(fields.kv_heads, dim, dim, window) for window in kinds[:own]),
        widest_mlp=max(widths),
        notes=("every embedding is counted; some engines keep those per layer outside the GPU",),
    )
