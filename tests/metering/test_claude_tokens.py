import re

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modicum.metering.claude_tokens import (
    CounterCheck,
    count_claude_tokens,
    counter_name,
    cut_pieces,
    find_generation,
    find_release,
)
from modicum.metering.tokens import bare_name

CHECK = CounterCheck(
    family="claude",
    counter="ctok 1.3.0",
    ratio=1.001,
    error=0.005,
    error_long=0.003,
    error_whole=0.02,
    line_error=0.05,
    steps=200,
    groups=10,
)
NEEDS_CTOK = pytest.mark.skipif(counter_name() is None, reason="scripts/test-claude-tokens runs this")


@pytest.mark.parametrize(
    ("model", "generation"),
    [
        ("claude-3-haiku-20240307", "3.0"),
        ("claude-sonnet-4-20250514", "3.0"),
        ("us.anthropic.claude-opus-4-5-20251101-v1:0", "3.0"),
        ("vertex_ai/claude-opus-4-6@20260205", "3.0"),
        ("claude-opus-4-7", "4.7"),
        ("claude-opus-4-8", "4.8"),
        ("anthropic/claude-sonnet-5", "4.8"),
        ("claude-haiku-5-5", "4.8"),
        ("claude-mythos-preview", "4.8"),
        ("claude-2.1", None),
        ("gpt-4o", None),
        ("gemini-2.5-pro", None),
    ],
)
def test_each_model_has_the_tokenizer_of_its_generation(model, generation):
    assert find_generation(bare_name(model)) == generation


def test_a_name_without_a_number_is_a_new_model_and_no_claude_has_no_release():
    assert find_release("claude-mythos-preview") == (99, 0)
    assert find_release("claude-opus-4-6") == (4, 6)
    assert find_release("gpt-4.1") is None


@pytest.mark.parametrize(
    ("change", "confirmed"),
    [
        ({}, True),
        ({"ratio": 1.03}, False),
        ({"ratio": 0.97}, False),
        ({"steps": 29}, False),
        ({"error": 0.048}, False),
    ],
    ids=["it is right", "too many tokens", "too few tokens", "too few steps", "no better than the line"],
)
def test_records_confirm_a_counter_or_they_do_not(change, confirmed):
    assert msgspec.structs.replace(CHECK, **change).confirmed is confirmed


@settings(deadline=None)
@given(st.text(alphabet="ab \n", max_size=400), st.integers(2, 50))
def test_pieces_are_the_whole_text_and_none_is_too_long(text, most):
    pieces = list(cut_pieces(text, most))

    assert "".join(pieces) == text
    assert all(0 < len(piece) <= most for piece in pieces)


def test_a_text_is_cut_before_a_line_end_or_else_before_a_space():
    assert list(cut_pieces("one two\nthree four", 10)) == ["one two", "\nthree", " four"]


@pytest.mark.skipif(counter_name() is not None, reason="ctok is installed")
def test_without_the_extra_nothing_can_be_counted():
    with pytest.raises(ImportError):
        count_claude_tokens("hello", "3.0")


@NEEDS_CTOK
def test_a_text_is_counted_without_the_frame_of_a_message():
    assert re.fullmatch(r"ctok 1\.\d+(\.\d+)?", counter_name())
    assert count_claude_tokens("hello, world", "3.0") == 3
    assert count_claude_tokens("hello, world", "4.8") == 4
    assert count_claude_tokens("", "3.0") == 0


@NEEDS_CTOK
def test_new_models_have_more_tokens_for_the_same_text():
    text = "The gateway measures each request, and the ledger remembers what was charged for it.\n" * 20

    assert count_claude_tokens(text, "4.8") > 1.1 * count_claude_tokens(text, "3.0")


@NEEDS_CTOK
def test_cutting_a_long_text_costs_a_token_a_cut_at_most():
    from ctok import token_count

    text = "A line of words, and 12 numbers; x = y + 1\n" * 6000

    whole = token_count(text, "3.0") - 7
    pieces = len(list(cut_pieces(text)))
    assert pieces == 3
    assert abs(count_claude_tokens(text, "3.0") - whole) <= pieces


@NEEDS_CTOK
def test_half_a_surrogate_pair_is_counted_and_raises_nothing():
    assert count_claude_tokens("a \ud83d b", "4.8") > 0
