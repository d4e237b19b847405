import pytest

from modicum.calls import Problem, UserError
from modicum.cli.energy.options import format_figure, parse_gpu_indexes, print_problems


@pytest.mark.parametrize(
    ("value", "text"), [(None, "unknown"), (0.1189, "0.119 J"), (12345.6, "12,346 J"), (0.0, "0 J")]
)
def test_unknown_is_a_word_and_never_zero(value, text):
    assert format_figure(value, "J") == text


def test_gpus_are_all_or_numbers():
    assert parse_gpu_indexes("all") is None
    assert parse_gpu_indexes("0,2") == [0, 2]
    with pytest.raises(UserError):
        parse_gpu_indexes("0,x")


def test_problems_are_told_once_with_how_often(capsys):
    print_problems([Problem("a", "b")] * 3 + [Problem("c", str(n)) for n in range(30)])

    err = capsys.readouterr().err
    assert "a: b (3 times)" in err
    assert err.rstrip().endswith("11 more")
