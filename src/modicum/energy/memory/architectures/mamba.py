"""Mamba (arXiv 2312.00752): no attention at all; what it remembers does not grow."""

from modicum.energy.memory.architectures.model_shape import ModelShape
from modicum.energy.memory.blueprint import Parameters, Recurrence
from modicum.energy.memory.config import Fields
from modicum.energy.memory.parameters import embeddings, mamba1


def mamba(fields: Fields) -> ModelShape:
    inner, state = fields.whole("expand", default=2) * fields.hidden, fields.whole("state_size", default=16)
    width = fields.conv_width("conv_kernel")
    layer = mamba1(
        fields,
        Recurrence("mamba-1", inner, inner * state, inner, width),
        rank=fields.whole_or_auto("time_step_rank", -(-fields.hidden // 16)),
        convolution_bias=fields.flag("use_conv_bias", default=True),
        bias=fields.flag("use_bias", default=False),
    )
    return ModelShape(
        parameters=Parameters(embeddings(fields) + fields.layers * (layer + fields.hidden) + fields.hidden),
        mixers=(Recurrence("mamba-1", inner, inner * state, inner, width),) * fields.layers,
        widest_mlp=inner,
    )
