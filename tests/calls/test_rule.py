import pytest

from modicum.calls.change import NO_CHANGE
from modicum.calls.rule import NotDecidable


def test_not_decidable_is_never_mistaken_for_no_change():
    undecided = NotDecidable("no text")

    assert undecided != NO_CHANGE
    assert not isinstance(undecided, type(NO_CHANGE))
    with pytest.raises(TypeError, match="neither a change nor none"):
        bool(undecided)
