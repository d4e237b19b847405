import pytest

from modicum.calls import Basis, UserError
from modicum.energy.memory.catalogue import blueprint_of
from modicum.energy.memory.weights import weights_of


def gib(model, dtype=None):
    return weights_of(blueprint_of(model), dtype).bytes_ / 1024**3


def test_sixteen_bits_are_exact():
    assert weights_of(blueprint_of("granite-4.0-micro")).basis is Basis.EXACT
    assert weights_of(blueprint_of("granite-4.0-micro")).bytes_ == 2 * 3_402_836_480


@pytest.mark.parametrize(("model", "published"), [("gpt-oss-20b", 12.8), ("gpt-oss-120b", 60.8)])
def test_published_mxfp4_models_come_within_one_per_cent_of_their_files(model, published):
    assert weights_of(blueprint_of(model)).basis is Basis.ESTIMATED
    assert gib(model) == pytest.approx(published, rel=0.01)


def test_eight_bits_keep_the_embeddings_in_sixteen():
    assert gib("deepseek-v3") == pytest.approx(625.8, abs=0.5)


def test_fewer_bits_are_fewer_bytes():
    sizes = [gib("llama-3.1-8b", dtype) for dtype in ("fp32", "bf16", "q8_0", "q6_k", "q5_k_m", "q4_k_m")]

    assert sizes == sorted(sizes, reverse=True)


def test_an_unknown_type_is_told_what_there_is():
    with pytest.raises(UserError, match="--weights"):
        weights_of(blueprint_of("llama-3.1-8b"), "hqq2")
