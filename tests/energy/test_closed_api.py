import sys

import pytest

from modicum.calls import Basis, UserError
from modicum.energy.closed_api import estimate


def test_an_estimate_is_one_guess_without_a_band_and_says_what_it_leaves_out():
    found = estimate("openai", "gpt-4o", 1000, 20.0)

    assert found.basis is Basis.ESTIMATED
    assert found.interval is None
    assert 100 < found.joules < 20_000
    assert any("prompt tokens" in text for text in found.left_out)
    assert found.source.startswith("EcoLogits")


def test_an_unknown_model_or_provider_gets_no_figure():
    with pytest.raises(UserError, match="does not know the model"):
        estimate("openai", "no-such-model", 10, 1.0)
    with pytest.raises(UserError, match="no provider known to EcoLogits"):
        estimate("nobody", "gpt-4o", 10, 1.0)


def test_without_the_extra_its_name_is_told(monkeypatch):
    monkeypatch.setitem(sys.modules, "ecologits", None)

    with pytest.raises(UserError, match=r"\[footprint\]"):
        estimate("openai", "gpt-4o", 10, 1.0)
