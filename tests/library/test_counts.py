import pytest

import modicum as library
from modicum.calls import Basis


def test_a_text_is_counted_for_each_model_once():
    counts = library.count("hello world", ["gpt-4o", "claude-opus-4-6", "gpt-4o"])

    assert counts["gpt-4o"].tokens == 2
    assert [row["model"] for row in counts.to_dicts()] == ["gpt-4o", "claude-opus-4-6"]
    assert counts["claude-opus-4-6"].basis == Basis.ESTIMATED


def test_a_model_that_was_not_counted_is_named():
    with pytest.raises(KeyError, match="gpt-5"):
        library.count("hello", "gpt-4o")["gpt-5"]
