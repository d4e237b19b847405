"""What a reader of one architecture hands back: the counted weights and what each layer remembers."""

import msgspec

from modicum.energy.memory.blueprint import Mixer, Parameters


class ModelShape(msgspec.Struct, frozen=True):
    parameters: Parameters
    mixers: tuple[Mixer, ...]
    widest_mlp: int
    state_dtype: str | None = None
    notes: tuple[str, ...] = ()
