"""LFM2: short gated convolutions, and attention in the layers that are named."""

from modicum.energy.memory.architectures.model_shape import ModelShape
from modicum.energy.memory.blueprint import KeyValue, Parameters, Recurrence
from modicum.energy.memory.config import Fields
from modicum.energy.memory.parameters import attention, embeddings, gated_mlp


def _inner_width(fields: Fields) -> int:
    """Two thirds of the width that the config gives, times a factor, rounded up to a multiple, unless that is off."""
    width = fields.whole("block_ff_dim" if "block_ff_dim" in fields.raw else "intermediate_size")
    if not fields.flag("block_auto_adjust_ff_dim", default=True):
        return width
    width = int(fields.number("block_ffn_dim_multiplier", default=1.0) * int(2 * width / 3))
    multiple = fields.whole("block_multiple_of", default=256)
    return multiple * -(-width // multiple)


def _attends(fields: Fields) -> list[bool]:
    if fields.has("layer_types"):
        return [kind == "full" for kind in fields.layer_kinds()]
    at = fields.raw.get("full_attn_idxs")
    if at is None:
        return [True] * fields.layers
    if not isinstance(at, list) or any(not isinstance(layer, int) or not 0 <= layer < fields.layers for layer in at):
        raise fields.fault("full_attn_idxs is no list of layers, or names one that does not exist")
    return [layer in at for layer in range(fields.layers)]


def lfm2(fields: Fields) -> ModelShape:
    hidden, dim, inner, width = fields.hidden, fields.head_dim(), _inner_width(fields), fields.whole("conv_L_cache")
    attends = _attends(fields)
    convolution = 4 * hidden**2 + hidden * width + (5 * hidden if fields.flag("conv_bias", default=False) else 0)
    attend, remember = KeyValue(fields.kv_heads, dim, dim), Recurrence("convolution", hidden, 0, hidden, width)
    shared = (
        embeddings(fields)
        + sum(attends) * (attention(fields, fields.kv_heads, dim) + 2 * dim)
        + (fields.layers - sum(attends)) * convolution
        + fields.layers * (gated_mlp(hidden, inner) + 2 * hidden)
        + hidden
    )
    return ModelShape(
        parameters=Parameters(shared),
        mixers=tuple(attend if here else remember for here in attends),
        widest_mlp=inner,
    )
