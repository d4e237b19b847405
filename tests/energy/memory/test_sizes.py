import pytest

from modicum.calls import UserError
from modicum.energy.memory.sizes import cache_bytes, context_name, dtype_name, tokens


@pytest.mark.parametrize(("text", "count"), [("128k", 131_072), ("8192", 8192), ("1M", 1_048_576)])
def test_context_lengths_are_read_as_they_are_named(text, count):
    assert tokens(text) == count


@pytest.mark.parametrize("text", ["", "k", "12q", "-1", "0", "1.5k"])
def test_what_is_no_length_is_told(text):
    with pytest.raises(UserError, match="write 8192, 8k or 128k"):
        tokens(text)


def test_names_of_lengths():
    assert context_name(131_072) == "128k"
    assert context_name(1000) == "1,000"


def test_block_types_carry_their_scales():
    assert cache_bytes(32, "q8_0") == 34
    assert cache_bytes(3, "q4_0") == 2


def test_spellings_of_types_are_one():
    assert dtype_name("torch.bfloat16") == dtype_name("bfloat16") == "bf16"
