import pytest

from modicum.calls import UserError
from modicum.energy.memory.config import Fields
from modicum.energy.memory.quantization import Quantization, find_quantization


def read(config):
    return find_quantization(Fields("m", {"quantization_config": config}))


def test_plain_weights_have_none():
    assert read(None) is None


@pytest.mark.parametrize(
    ("config", "method", "bits"),
    [
        ({"quant_method": "fp8", "weight_block_size": [128, 128]}, "fp8", None),
        ({"quant_method": "mxfp4"}, "mxfp4", None),
        ({"quant_method": "fbgemm_fp8"}, "fp8", None),
        ({"quant_method": "awq", "bits": 4, "group_size": 128}, "awq", 4 + 20 / 128),
        ({"quant_method": "gptq", "bits": 8, "group_size": 32}, "gptq", 8 + 24 / 32),
        ({"quant_method": "gptq", "bits": 3, "group_size": -1}, "gptq", 3),
        ({"quant_method": "bitsandbytes", "load_in_4bit": True}, "bitsandbytes-4bit", 4.5),
        ({"quant_method": "bitsandbytes", "load_in_8bit": True}, "int8", None),
        (
            {
                "quant_method": "compressed-tensors",
                "config_groups": {"g": {"weights": {"num_bits": 8, "type": "float"}}},
            },
            "fp8",
            8,
        ),
        ({"quant_method": "modelopt", "quant_algo": "NVFP4"}, "nvfp4", None),
        ({"quant_method": "modelopt", "quantization": {"quant_algo": "FP8"}}, "fp8", None),
        ({"quant_method": "hqq"}, "hqq", None),
    ],
)
def test_bits_follow_from_what_the_config_says(config, method, bits):
    assert read(config) == Quantization(method, pytest.approx(bits) if bits else None)


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ({"bits": 4}, "no quant_method"),
        ({"quant_method": "bitsandbytes"}, "neither load_in_4bit"),
        ({"quant_method": "compressed-tensors", "config_groups": {}}, "no bits of weights"),
        ({"quant_method": "modelopt"}, "no quant_algo"),
        ({"quant_method": "gptq", "bits": "four"}, "not a whole number"),
    ],
)
def test_what_does_not_say_its_bits_is_refused(config, says):
    with pytest.raises(UserError, match=says):
        read(config)


def test_an_empty_group_of_compressed_tensors_names_no_bits():
    with pytest.raises(UserError, match="names no bits"):
        find_quantization(
            Fields("m", {"quantization_config": {"quant_method": "compressed-tensors", "config_groups": {"g": None}}})
        )
