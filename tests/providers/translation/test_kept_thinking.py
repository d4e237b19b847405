import pytest

from modicum.providers.translation.kept_thinking import opened, sealed

SIGNED = {"type": "thinking", "thinking": "Hm.", "signature": "EqQB"}


def test_what_was_sealed_is_opened():
    assert opened(sealed([SIGNED, {"type": "thinking", "thinking": "unsigned"}])) == [SIGNED]
    assert opened(sealed([{"type": "redacted_thinking", "data": "x"}])) == [{"type": "redacted_thinking", "data": "x"}]


@pytest.mark.parametrize("content", ["", "gAAAA", "modicum.thinking.", "modicum.thinking.!", "modicum.thinking.e30"])
def test_what_somebody_else_sealed_is_nothing(content):
    assert opened(content) == []
    assert sealed([{"type": "thinking", "thinking": "unsigned"}]) == ""
