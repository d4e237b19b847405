import pytest

from modicum.providers.translation.gemini_door.signatures import blocks_of, signature_with

BLOCKS = [{"type": "thinking", "thinking": "hm ☂", "signature": "c2lnbmVk"}]


def test_what_was_sealed_opens_and_nothing_else_does():
    assert blocks_of(signature_with(BLOCKS)) == BLOCKS
    assert blocks_of(signature_with(BLOCKS).replace("+", "-").replace("/", "_")) == BLOCKS
    assert signature_with([{"type": "thinking", "thinking": "unsigned"}]) == ""


@pytest.mark.parametrize("foreign", ["", "eA==", "###", "CpoBAcu98PA/+Wm"])
def test_signatures_of_others_open_to_nothing(foreign):
    assert blocks_of(foreign) == []
