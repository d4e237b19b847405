import pytest

from modicum.calls import UserError
from modicum.energy.memory.sizes import cache_bytes, format_context, parse_dtype, parse_tokens


@pytest.mark.parametrize(("text", "count"), [("128k", 131_072), ("8192", 8192), ("1M", 1_048_576)])
def test_context_lengths_are_read_as_they_are_named(text, count):
    assert parse_tokens(text) == count


@pytest.mark.parametrize("text", ["", "k", "12q", "-1", "0", "1.5k"])
def test_what_is_no_length_is_told(text):
    with pytest.raises(UserError, match="write 8192, 8k or 128k"):
        parse_tokens(text)


def test_names_of_lengths():
    assert format_context(131_072) == "128k"
    assert format_context(1000) == "1,000"


def test_block_types_carry_their_scales():
    assert cache_bytes(32, "q8_0") == 34
    assert cache_bytes(3, "q4_0") == 2


def test_spellings_of_types_are_one():
    assert parse_dtype("torch.bfloat16") == parse_dtype("bfloat16") == "bf16"
