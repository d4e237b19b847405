from modicum.energy.memory.blueprint import Recurrence
from modicum.energy.memory.config import Fields
from modicum.energy.memory.parameters import attention, embeddings, gated_mlp, mamba2

FIELDS = Fields("m", {"hidden_size": 64, "num_attention_heads": 4, "vocab_size": 100})


def test_tied_embeddings_are_one_table():
    assert embeddings(FIELDS) == 12800
    assert embeddings(Fields("m", {**FIELDS.raw, "tie_word_embeddings": True})) == 6400
    assert embeddings(Fields("m", {**FIELDS.raw, "model_type": "gemma3_text"})) == 6400
    assert embeddings(Fields("m", {**FIELDS.raw, "model_type": "nemotron_h", "tie_word_embeddings": True})) == 12800


def test_attention_with_bias_gate_and_shared_values():
    assert attention(FIELDS, 2, 16) == 64 * (64 + 64) + 64 * 64
    assert attention(FIELDS, 2, 16, bias=True) - attention(FIELDS, 2, 16) == 64 + 64 + 64
    assert attention(FIELDS, 2, 16, gated=True) - attention(FIELDS, 2, 16) == 64 * 64
    assert attention(FIELDS, 2, 16) - attention(FIELDS, 2, 16, value=False) == 64 * 32


def test_a_gated_mlp_has_three_matrices():
    assert gated_mlp(64, 160) == 3 * 64 * 160


def test_a_mamba_mixer_may_have_biases():
    mixer = Recurrence("mamba-2", 8, 128 * 32, 128 + 2 * 32, 4)
    plain = mamba2(FIELDS, 128, mixer)
    biased = mamba2(Fields("m", {**FIELDS.raw, "mamba_proj_bias": True}), 128, mixer)

    assert biased - plain == (128 + 128 + 64 + 8) + 64
