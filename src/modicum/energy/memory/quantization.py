"""Bits per weight that a config's `quantization_config` stands for, scales included. Estimates: which layers are left
out differs from model to model.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from modicum.energy.memory.config import Fields

SCALE_BITS = 16


class Quantization(msgspec.Struct, frozen=True):
    method: str
    """As `weights.BLOCKED` names it, or the config's own `quant_method`."""
    bits: float | None = None
    """Per weight; None: those of the method."""


def find_quantization(fields: Fields) -> Quantization | None:
    """How the weights are quantised; None where they are plain.

    Raises:
        UserError: the method is missing, or its bits are.
    """
    config = fields.raw.get("quantization_config")
    if not isinstance(config, Mapping):
        return None
    method = config.get("quant_method") or config.get("quant_algo")
    if not isinstance(method, str):
        raise fields.fault("quantization_config has no quant_method")
    read = {
        "awq": _grouped,
        "gptq": _grouped,
        "bitsandbytes": _bitsandbytes,
        "compressed-tensors": _compressed_tensors,
        "modelopt": _modelopt,
        "fbgemm_fp8": lambda *_: Quantization("fp8"),
    }.get(method)
    return read(fields, config) if read is not None else Quantization(method.lower())


def _grouped(fields: Fields, config: Mapping[str, Any]) -> Quantization:
    """A scale and a zero point per group of input channels; -1 is one group for all."""
    method = config.get("quant_method") or config["quant_algo"]
    part = Fields(fields.name, config)
    bits = part.whole("bits", default=part.whole("w_bit", default=4))
    group = config.get("group_size", config.get("q_group_size", 128))
    beside = (SCALE_BITS + bits) / group if isinstance(group, int) and group > 0 else 0.0
    return Quantization(method, bits + beside)


def _bitsandbytes(fields: Fields, config: Mapping[str, Any]) -> Quantization:
    if config.get("load_in_8bit") or config.get("_load_in_8bit"):
        return Quantization("int8")
    if not (config.get("load_in_4bit") or config.get("_load_in_4bit")):
        raise fields.fault("quantization_config says bitsandbytes, but neither load_in_4bit nor load_in_8bit")
    # One float32 per 64 weights; with double quantisation one byte, and a float32 per 256 of those.
    return Quantization(
        "bitsandbytes-4bit", 4 + (8 + 32 / 256) / 64 if config.get("bnb_4bit_use_double_quant") else 4.5
    )


def _compressed_tensors(fields: Fields, config: Mapping[str, Any]) -> Quantization:
    groups = config.get("config_groups")
    listed = groups.values() if isinstance(groups, Mapping) else ()
    weights = [group.get("weights") for group in listed if isinstance(group, Mapping)]
    found = [Fields(fields.name, one) for one in weights if isinstance(one, Mapping)]
    if not found:
        raise fields.fault("quantization_config says compressed-tensors, but config_groups names no bits of weights")
    widest = max(found, key=lambda one: one.whole("num_bits"))
    bits, group = widest.whole("num_bits"), widest.raw.get("group_size")
    beside = SCALE_BITS / group if isinstance(group, int) and group > 0 else 0.0
    return Quantization(f"{'fp' if widest.raw.get('type') == 'float' else 'int'}{bits}", bits + beside)


def _modelopt(fields: Fields, config: Mapping[str, Any]) -> Quantization:
    inner = config.get("quantization")
    algorithm = config.get("quant_algo") or (inner.get("quant_algo") if isinstance(inner, Mapping) else None)
    if not isinstance(algorithm, str):
        raise fields.fault("quantization_config says modelopt, but no quant_algo")
    return Quantization({"FP8": "fp8", "NVFP4": "nvfp4"}.get(algorithm.upper(), algorithm.lower()))
