import pytest

from modicum.importers.agents.zed import unpacked


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"data_type": "zstd", "data": b"no zstd"}, "not packed"),
        ({"data_type": "zstd", "data": None}, "cut off"),
        ({"data_type": "json", "data": "{"}, "no JSON"),
        ({"data_type": "json", "data": b"[" * 200_000}, "no JSON"),
        ({"data_type": "json", "data": "[" + "1," * 4_000_000 + "1]"}, "more values"),
    ],
)
def test_a_thread_that_is_none_says_why(row, reason):
    with pytest.raises(ValueError, match=reason):
        unpacked(row)


def test_a_thread_of_another_shape_is_an_empty_one():
    assert unpacked({"data_type": "json", "data": "[1]"}) == {}
