import json
from pathlib import Path

import pytest

from modicum.calls import UserError
from modicum.energy.memory import find_blueprint
from modicum.energy.memory.catalogue import load_catalogue, read_blueprint

LLAMA = {
    "model_type": "llama", "vocab_size": 128256, "hidden_size": 4096, "intermediate_size": 14336,
    "num_hidden_layers": 32, "num_attention_heads": 32, "num_key_value_heads": 8, "tie_word_embeddings": False,
}  # fmt: skip


def test_there_are_50_models_each_with_a_source():
    known = load_catalogue()

    assert len(known.models) == 50
    assert {fields["source"] for fields in known.models.values()} == set(known.sources)


def test_a_name_is_found_however_it_is_written():
    assert find_blueprint("Qwen/Qwen3-32B").name == "qwen3-32b"


def test_a_wrong_name_is_told_the_nearest():
    with pytest.raises(UserError, match=r"did you mean .*granite-4.0-h-small"):
        find_blueprint("granite-4-h-small")


def test_a_file_and_its_folder_are_read(tmp_path):
    file = tmp_path / "config.json"
    file.write_text(json.dumps(LLAMA))

    assert find_blueprint(str(file)).parameters == find_blueprint(str(tmp_path)).parameters
    assert find_blueprint(str(file)).parameters.total == 8_030_261_248


def test_the_language_part_of_a_multimodal_config_is_taken_and_the_rest_is_noted():
    found = read_blueprint("x", {"model_type": "llava", "vision_config": {}, "text_config": LLAMA})

    assert found.parameters.total == 8_030_261_248
    assert "vision or audio" in found.notes[0]


def test_both_spellings_of_layer_types_mean_the_same():
    fields = dict(load_catalogue().models["granite-4.0-h-tiny"])
    new = {"mamba": "linear_attention", "attention": "full_attention"}
    fields["layer_types"] = [new[kind] for kind in fields["layer_types"]]

    assert read_blueprint("granite-4.0-h-tiny", fields) == find_blueprint("granite-4.0-h-tiny")


@pytest.mark.parametrize("model_type", ["kimi_linear", "deepseek_v4", "step3"])
def test_an_unknown_architecture_is_refused_by_name(model_type):
    with pytest.raises(UserError, match=f"does not know the architecture '{model_type}'"):
        read_blueprint("x", {**LLAMA, "model_type": model_type})


@pytest.mark.parametrize(("content", "says"), [("{", "cannot be read as JSON"), ("[]", "not a model's config.json")])
def test_a_file_that_is_no_config_is_refused(tmp_path, content, says):
    file = tmp_path / "config.json"
    file.write_text(content)

    with pytest.raises(UserError, match=says):
        find_blueprint(str(file))


def test_a_folder_without_a_config_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"no config.json in this folder"):
        find_blueprint(str(tmp_path))


SMALL = json.loads((Path(__file__).parent / "small_models.json").read_text())


def counted(config):
    found = read_blueprint("m", config)
    return found.parameters.total, [getattr(mixer, "window", None) for mixer in found.mixers]


@pytest.mark.parametrize("part", ["text_config", "llm_config", "language_config"])
def test_the_language_part_of_a_multimodal_model_is_read(part):
    nested = {"model_type": "some_vision_model", "vision_config": {}, part: SMALL["qwen3"]}

    assert counted(nested) == counted(SMALL["qwen3"])
    assert "vision or audio part" in read_blueprint("m", nested).notes[0]


def test_a_part_in_a_part_and_one_that_does_not_say_what_it_is_are_read():
    plain = {key: value for key, value in SMALL["gemma3"].items() if key != "model_type"}

    assert counted({"model_type": "gemma3", "text_config": plain}) == counted(SMALL["gemma3"])
    assert counted({"thinker_config": {"text_config": SMALL["llama"]}}) == counted(SMALL["llama"])


@pytest.mark.parametrize(
    ("name", "change", "windows"),
    [
        (
            "mistral-sliding",
            {"layer_types": ["full_attention", "sliding_attention", "full_attention"]},
            [None, 64, None],
        ),
        ("llama", {"sliding_window": 32}, [32] * 3),
        ("qwen3-moe", {"sliding_window": 32, "use_sliding_window": True}, [32] * 3),
        ("qwen3-moe", {"sliding_window": 32}, [None] * 3),
        ("gemma3", {"sliding_window_pattern": 2}, [64, None] * 3),
        ("cohere2", {"sliding_window_pattern": 2}, [64, None] * 2),
        ("smollm3-sliding", {"no_rope_layers": [0, 1, 1]}, [64, None, None]),
        ("qwen2-moe-sliding", {"max_window_layers": 3}, [64, None, 64]),
        ("llama4", {"no_rope_layer_interval": 2}, [64, None] * 2),
    ],
)
def test_windows_follow_the_list_of_layers_or_the_field(name, change, windows):
    assert counted(SMALL[name] | change)[1] == windows


def test_a_field_that_is_left_out_is_what_the_library_takes_and_is_told():
    left_out = {key: told for key, told in SMALL["qwen3"].items() if key not in {"head_dim", "num_key_value_heads"}}

    found = read_blueprint("m", left_out | {"num_attention_heads": 64})

    assert (found.mixers[0].kv_heads, found.mixers[0].key_dim) == (32, 128)
    assert [note.partition(";")[0] for note in found.notes] == [
        "the config has no num_key_value_heads",
        "the config has no head_dim",
    ]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"head_dim": None}, "head_dim is null"),
        ({"model_type": "kimi_linear"}, "does not know the architecture 'kimi_linear'"),
        ({"num_hidden_layers": 4, "layer_types": ["full_attention"]}, "names 1 layers, but num_hidden_layers is 4"),
        ({"num_key_value_heads": 3}, "not a multiple of num_key_value_heads 3"),
        ({"quantization_config": {"bits": 4}}, "no quant_method"),
    ],
)
def test_what_is_unknown_or_contradicts_itself_is_refused_by_name(change, says):
    with pytest.raises(UserError, match=says):
        read_blueprint("m", SMALL["qwen3"] | change)


@pytest.mark.parametrize(
    ("name", "change", "says"),
    [
        ("gemma2", {"sliding_window": None}, "sliding_window is null"),
        ("gemma3n", {"num_kv_shared_layers": 5}, "no layer of the same kind is left"),
        ("gemma3n", {"intermediate_size": [160, 160]}, "for each of num_hidden_layers"),
        ("llama4", {"moe_layers": "all"}, "where a list of layers is expected"),
        ("llama4", {"no_rope_layers": [1, 0]}, "no_rope_layers is no list with a number for each"),
        ("llama4", {"num_experts_per_tok": 9}, "num_experts_per_tok is 9, but num_local_experts is 4"),
        ("lfm2", {"full_attn_idxs": [9]}, "names one that does not exist"),
        ("lfm2", {"block_ffn_dim_multiplier": float("nan")}, "block_ffn_dim_multiplier is nan"),
        ("zamba2", {"n_mamba_heads": 7}, "n_mamba_heads is 7"),
        ("zamba2", {"tie_word_embeddings": False}, "blocks are not shared"),
        ("glm4-moe", {"first_k_dense_replace": 9}, "first_k_dense_replace is 9"),
        ("qwen2-moe", {"mlp_only_layers": 3}, "mlp_only_layers is 3"),
        ("deepseek-v2", {"moe_layer_freq": 2}, "moe_layer_freq is not 1"),
    ],
)
def test_a_config_of_a_newer_architecture_that_contradicts_itself_is_refused(name, change, says):
    with pytest.raises(UserError, match=says):
        read_blueprint("m", SMALL[name] | change)


def test_whose_class_counts_a_model_is_said_where_it_is_not_its_own():
    found = read_blueprint("kimi", SMALL["kimi-k2.5"])

    assert found.model_type == "kimi_k2"
    assert [note for note in found.notes if "class of deepseek_v3" in note]


@pytest.mark.parametrize(
    ("name", "outer", "tables"),
    [
        ("kimi-k2.5", None, 1),  # the outer class ties where its own config is silent, whatever the text part says
        ("kimi-k2.5", False, 2),
        ("llama4-multimodal", True, 2),  # here the text part alone decides
        ("gemma3-multimodal", False, 2),
    ],
)
def test_whose_tie_of_the_tables_counts_is_that_of_the_class(name, outer, tables):
    config = SMALL[name] | {"tie_word_embeddings": outer}
    if outer is None:
        del config["tie_word_embeddings"]

    text = config["text_config"]
    assert read_blueprint("m", config).embedding_weights == tables * text["vocab_size"] * text["hidden_size"]


def test_infinity_as_python_writes_it_is_read(tmp_path):
    """Published configs of Mamba-2 hybrids have `"time_step_limit": [0.0, Infinity]`."""
    config = tmp_path / "config.json"
    config.write_text(json.dumps(load_catalogue().models["nemotron-h-56b"] | {"time_step_limit": [0.0, float("inf")]}))

    assert find_blueprint(str(config)).parameters == find_blueprint("nemotron-h-56b").parameters
