"""Bytes of a model's weights, to the byte where the data type is plain, estimated where it is quantised."""

from fractions import Fraction

import msgspec

from modicum.calls.basis import Basis
from modicum.calls.errors import UserError
from modicum.energy.memory.blueprint import Blueprint

PLAIN = {"fp32": 4, "bf16": 2, "fp16": 2}
"""Bytes per weight of types without scales."""

BLOCKED = {
    "fp8": Fraction(8),
    "int8": Fraction(8),
    "mxfp4": Fraction(17, 4),
    "nvfp4": Fraction(9, 2),
    "int4": Fraction(17, 4),
    "awq": Fraction(17, 4),
    "gptq": Fraction(17, 4),
    "q8_0": Fraction(17, 2),
    "q6_k": Fraction(105, 16),
    "q5_k_m": Fraction(57, 10),
    "q4_k_m": Fraction(97, 20),
}
"""Bits per weight with scales; the GGUF mixes vary by model, so their files' sizes are better."""


class Weights(msgspec.Struct, frozen=True):
    bytes_: int = msgspec.field(name="bytes")
    dtype: str
    basis: Basis


def measure_weights(blueprint: Blueprint, dtype: str | None = None) -> Weights:
    """Bytes of all weights as `dtype`, or as published where it is None.

    Published weights that lie beside the config are read from their files' headers. Quantised types keep the
    embeddings and the output head in 16 bits, and `mxfp4` everything but the routed experts (as gpt-oss is published).

    Raises:
        UserError: no such type.
    """
    if dtype is None and blueprint.checkpoint_bytes is not None:
        return Weights(blueprint.checkpoint_bytes, blueprint.quantization or blueprint.weight_dtype, Basis.EXACT)
    chosen = (dtype or blueprint.quantization or blueprint.weight_dtype).lower()
    total = blueprint.parameters.total
    if chosen in PLAIN:
        return Weights(total * PLAIN[chosen], chosen, Basis.EXACT)
    own = blueprint.quantized_bits if dtype is None else None
    bits = BLOCKED.get(chosen) if own is None else Fraction(own)
    if bits is None:
        known = ", ".join([*PLAIN, *BLOCKED])
        raise UserError(
            f"{blueprint.name}: bytes of weights of type '{chosen}' are not known; name one with --weights: {known}"
        )
    routed = blueprint.parameters.routed
    tables = blueprint.embedding_weights or blueprint.vocab_size * blueprint.hidden_size
    kept = total - routed if chosen == "mxfp4" and routed else tables
    if chosen.startswith("q"):
        kept = 0
    return Weights(kept * 2 + int((total - kept) * bits / 8), chosen, Basis.ESTIMATED)
