import pytest

from modicum.calls import Basis, UserError
from modicum.energy.memory.catalogue import find_blueprint, load_catalogue, read_blueprint
from modicum.energy.memory.weights import measure_weights


def gib(model, dtype=None):
    return measure_weights(find_blueprint(model), dtype).bytes_ / 1024**3


def test_sixteen_bits_are_exact():
    assert measure_weights(find_blueprint("granite-4.0-micro")).basis is Basis.EXACT
    assert measure_weights(find_blueprint("granite-4.0-micro")).bytes_ == 2 * 3_402_836_480


@pytest.mark.parametrize(("model", "published"), [("gpt-oss-20b", 12.8), ("gpt-oss-120b", 60.8)])
def test_published_mxfp4_models_come_within_one_per_cent_of_their_files(model, published):
    assert measure_weights(find_blueprint(model)).basis is Basis.ESTIMATED
    assert gib(model) == pytest.approx(published, rel=0.01)


def test_eight_bits_keep_the_embeddings_and_the_head_in_sixteen():
    assert gib("deepseek-v3") * 1024**3 == 671_026_404_352 + 2 * 129_280 * 7_168


def test_bits_of_the_config_are_taken_where_no_type_is_asked_for():
    """AWQ: 4 bits, and per 128 weights a scale of 16 bits and a zero point of 4; the tables stay in 16 bits. Llama 3.1
    8B has 32 layers of width 4,096, key-value width 1,024, MLP width 14,336, and 128,256 tokens in two tables.
    """
    tables = 2 * 128_256 * 4_096
    linear = 32 * (2 * 4_096 * 4_096 + 2 * 4_096 * 1_024 + 3 * 4_096 * 14_336)
    told = {"quant_method": "awq", "bits": 4, "group_size": 128}
    awq = read_blueprint("m", load_catalogue().models["llama-3.1-8b"] | {"quantization_config": told})

    # 2.10 GB and 3.63 GB; norms, a few hundred kB, are between 4 and 16 bits here and there.
    assert measure_weights(awq).bytes_ == pytest.approx(2 * tables + linear * (4 + 20 / 128) / 8, rel=2e-4)
    assert measure_weights(awq).basis is Basis.ESTIMATED


def test_fewer_bits_are_fewer_bytes():
    sizes = [gib("llama-3.1-8b", dtype) for dtype in ("fp32", "bf16", "q8_0", "q6_k", "q5_k_m", "q4_k_m")]

    assert sizes == sorted(sizes, reverse=True)


def test_an_unknown_type_is_told_what_there_is():
    with pytest.raises(UserError, match="--weights"):
        measure_weights(find_blueprint("llama-3.1-8b"), "hqq2")
