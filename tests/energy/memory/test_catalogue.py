import json

import pytest

from modicum.calls import UserError
from modicum.energy.memory import blueprint_of
from modicum.energy.memory.catalogue import catalogue, read_blueprint

LLAMA = {
    "model_type": "llama", "vocab_size": 128256, "hidden_size": 4096, "intermediate_size": 14336,
    "num_hidden_layers": 32, "num_attention_heads": 32, "num_key_value_heads": 8, "tie_word_embeddings": False,
}  # fmt: skip


def test_there_are_35_models_each_with_a_source():
    known = catalogue()

    assert len(known.models) == 35
    assert {fields["source"] for fields in known.models.values()} == set(known.sources)


def test_a_name_is_found_however_it_is_written():
    assert blueprint_of("Qwen/Qwen3-32B").name == "qwen3-32b"


def test_a_wrong_name_is_told_the_nearest():
    with pytest.raises(UserError, match=r"did you mean .*granite-4.0-h-small"):
        blueprint_of("granite-4-h-small")


def test_a_file_and_its_folder_are_read(tmp_path):
    file = tmp_path / "config.json"
    file.write_text(json.dumps(LLAMA))

    assert blueprint_of(str(file)).parameters == blueprint_of(str(tmp_path)).parameters
    assert blueprint_of(str(file)).parameters.total == 8_030_261_248


def test_the_language_part_of_a_multimodal_config_is_taken_and_the_rest_is_noted():
    found = read_blueprint("x", {"model_type": "llava", "vision_config": {}, "text_config": LLAMA})

    assert found.parameters.total == 8_030_261_248
    assert "vision or audio" in found.notes[0]


def test_both_spellings_of_layer_types_mean_the_same():
    fields = dict(catalogue().models["granite-4.0-h-tiny"])
    new = {"mamba": "linear_attention", "attention": "full_attention"}
    fields["layer_types"] = [new[kind] for kind in fields["layer_types"]]

    assert read_blueprint("granite-4.0-h-tiny", fields) == blueprint_of("granite-4.0-h-tiny")


@pytest.mark.parametrize("model_type", ["kimi_linear", "deepseek_v4", "step3"])
def test_an_unknown_architecture_is_refused_by_name(model_type):
    with pytest.raises(UserError, match=f"does not know the architecture '{model_type}'"):
        read_blueprint("x", {**LLAMA, "model_type": model_type})


@pytest.mark.parametrize(("content", "says"), [("{", "cannot be read as JSON"), ("[]", "not a model's config.json")])
def test_a_file_that_is_no_config_is_refused(tmp_path, content, says):
    file = tmp_path / "config.json"
    file.write_text(content)

    with pytest.raises(UserError, match=says):
        blueprint_of(str(file))


def test_a_folder_without_a_config_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"no config.json in this folder"):
        blueprint_of(str(tmp_path))
