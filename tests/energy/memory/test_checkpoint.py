import json
import struct

import pytest

from modicum.calls import UserError
from modicum.energy.memory.catalogue import find_blueprint
from modicum.energy.memory.checkpoint import checkpoint_bytes
from modicum.energy.memory.memory_plan import PlanRequest, plan_memory


def tensors(path, **sizes):
    header, place = {"__metadata__": {"format": "pt"}}, 0
    for name, size in sizes.items():
        header[name] = {"dtype": "BF16", "shape": [size // 2], "data_offsets": [place, place + size]}
        place += size
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + b"\0" * place)


def test_bytes_are_added_up_over_all_files(tmp_path):
    tensors(tmp_path / "model-1.safetensors", a=100, b=20)
    tensors(tmp_path / "model-2.safetensors", c=8)

    assert checkpoint_bytes(tmp_path) == 128


def test_quantised_files_are_taken_by_their_size(tmp_path):
    (tmp_path / "m.gguf").write_bytes(b"GGUF" * 10)

    assert checkpoint_bytes(tmp_path) == 40


def test_without_files_nothing_is_known(tmp_path):
    assert checkpoint_bytes(tmp_path) is None


@pytest.mark.parametrize("content", [b"abc", struct.pack("<Q", 10**12), struct.pack("<Q", 2) + b"[]"])
def test_a_broken_file_is_told(tmp_path, content):
    (tmp_path / "m.safetensors").write_bytes(content)

    with pytest.raises(UserError, match="download it again"):
        checkpoint_bytes(tmp_path)


def test_a_plan_takes_the_weights_that_lie_there(tmp_path):
    config = {
        "model_type": "llama", "vocab_size": 32, "hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1,
        "num_attention_heads": 2,
    }  # fmt: skip
    (tmp_path / "config.json").write_text(json.dumps(config))
    tensors(tmp_path / "model.safetensors", a=5000)

    assert plan_memory(find_blueprint(str(tmp_path)), PlanRequest(8)).weights_bytes == 5000
