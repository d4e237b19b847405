import pytest

from modicum.calls import UserError
from modicum.energy.memory.catalogue import load_catalogue, read_blueprint

MODELS = load_catalogue().models


def changed(model, **fields):
    return {key: value for key, value in {**MODELS[model], **fields}.items() if value is not ...}


@pytest.mark.parametrize(
    ("config", "says"),
    [
        (changed("qwen3-8b", num_hidden_layers=...), "the field num_hidden_layers is missing"),
        (changed("qwen3-8b", hidden_size="4096"), "hidden_size is '4096', not a whole number"),
        (changed("qwen3-8b", hidden_size=True), "not a whole number"),
        (changed("qwen3-8b", num_attention_heads=0), "less than 1"),
        (changed("qwen3-8b", num_key_value_heads=5), "not a multiple of num_key_value_heads 5"),
        (changed("qwen3-8b", tie_word_embeddings="no"), "neither true nor false"),
        (changed("llama-3.1-8b", hidden_size=4097), "head_dim is missing"),
        (changed("qwen3-30b-a3b", num_experts_per_tok=500), "num_experts_per_tok is 500, but num_experts is 128"),
        (
            changed("granite-4.0-h-tiny", layer_types=["mamba"]),
            "layer_types names 1 layers, but num_hidden_layers is 40",
        ),
        (changed("granite-4.0-h-tiny", layer_types=...), "the field layer_types is missing"),
        (changed("granite-4.0-h-tiny", layer_types=["rwkv"] * 40), "layer_types has 'rwkv'"),
        (changed("granite-4.0-h-tiny", mamba_d_head=32), "mamba_n_heads x mamba_d_head is 1536"),
        (changed("gpt-oss-20b", sliding_window=...), "sliding_window is missing"),
        (changed("nemotron-h-56b", hybrid_override_pattern="M-*"), "names 3 layers"),
        (changed("nemotron-h-56b", hybrid_override_pattern="X" * 118), "has 'X'"),
        (changed("nemotron-h-56b", hybrid_override_pattern=...), "hybrid_override_pattern is missing"),
        (changed("falcon-h1-34b", mamba_d_ssm=100), "mamba_d_ssm is 100"),
        (changed("qwen3.5-27b", linear_num_value_heads=9), "not a multiple of linear_num_key_heads"),
        (changed("qwen3.5-35b-a3b", mlp_only_layers=[1]), "this variant is not known"),
        (changed("deepseek-v3", first_k_dense_replace=99), "first_k_dense_replace is 99"),
        (changed("deepseek-v3", moe_layer_freq=2), "this variant is not known"),
        (changed("deepseek-v3", qk_head_dim=7), "qk_head_dim is 7"),
        (changed("glm-5", indexer_types=["full", "shared"]), "this variant of glm_moe_dsa is not known"),
        (changed("gemma-4-26b-a4b", num_kv_shared_layers=4), "this variant of gemma4 is not known"),
        (changed("qwen3-8b", model_type=...), "the field model_type is missing"),
        (changed("qwen3-8b", num_attention_heads=None), "num_attention_heads is null, where a whole number"),
        (changed("qwen3-8b", hidden_size=None), "hidden_size is null, where a whole number of 1 or more"),
        (changed("qwen3-8b", num_hidden_layers=None), "num_hidden_layers is null"),
        (changed("qwen3-8b", num_hidden_layers=10**15), "num_hidden_layers is 1,000,000,000,000,000, more than 10,000"),
        (changed("qwen3-8b", vocab_size=[151936]), r"vocab_size is \[151936\], not a whole number"),
        (changed("qwen3-8b", tie_word_embeddings=None), "tie_word_embeddings is null, where true or false"),
        (changed("granite-4.0-h-tiny", mamba_d_state=None), "mamba_d_state is null"),
        (changed("granite-4.0-h-tiny", layer_types=[["mamba"]] * 40), "is not known|does not know"),
        (changed("deepseek-v3", first_k_dense_replace=None), "first_k_dense_replace is null"),
        (changed("qwen3.5-27b", mamba_ssm_dtype=32), "mamba_ssm_dtype is 32, where a name in quotes is expected"),
        (changed("qwen3-8b", torch_dtype=["bfloat16"]), "torch_dtype is"),
        (changed("qwen3-30b-a3b", mlp_only_layers=3), "mlp_only_layers is 3, where a list of layers is expected"),
        (changed("glm-5", indexer_types=3), "this variant of glm_moe_dsa is not known"),
    ],
)
def test_missing_and_contradictory_fields_are_named(config, says):
    with pytest.raises(UserError, match=says):
        read_blueprint("m", config)


def test_the_message_says_which_model_and_what_to_do():
    with pytest.raises(UserError, match=r"^my-model: .*must be the one published with the model$"):
        read_blueprint("my-model", changed("qwen3-8b", vocab_size=...))


def test_null_is_left_out_where_the_published_configs_mean_that():
    every_head = read_blueprint("m", changed("llama-3.1-8b", num_key_value_heads=None))

    assert every_head.parameters.total > read_blueprint("m", MODELS["llama-3.1-8b"]).parameters.total
