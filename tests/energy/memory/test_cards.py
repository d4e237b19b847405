import pytest

from modicum.calls import UserError
from modicum.energy.memory.cards import parse_cards


@pytest.mark.parametrize(
    ("text", "count", "gib"), [("h100", 1, 79.65), ("4xH200", 4, 140.4), ("24GiB", 1, 24.0), ("2x47.5gib", 2, 47.5)]
)
def test_a_card_is_a_name_or_a_size(text, count, gib):
    found = parse_cards(text)

    assert found.count == count
    assert round(found.bytes_each / 1024**3, 2) == pytest.approx(gib, abs=0.01)


@pytest.mark.parametrize("text", ["h999", "", "0xh100", "24GB", "x"])
def test_an_unknown_card_is_told_what_to_write(text):
    with pytest.raises(UserError, match="--gpu 24GiB"):
        parse_cards(text)
