import pytest

from modicum.calls import Problem, UserError
from modicum.cli.energy.options import format_figure, parse_gpus, print_problems


@pytest.mark.parametrize(
    ("value", "text"), [(None, "unknown"), (0.1189, "0.119 J"), (12345.6, "12,346 J"), (0.0, "0 J")]
)
def test_unknown_is_a_word_and_never_zero(value, text):
    assert format_figure(value, "J") == text


@pytest.mark.parametrize(
    ("text", "gpus"),
    [
        ("all", ("nvidia", None)),
        ("0,2", ("nvidia", [0, 2])),
        ("amd", ("amd", None)),
        ("amd:1", ("amd", [1])),
        ("intel:all", ("intel", None)),
    ],
)
def test_gpus_are_all_or_numbers_of_a_vendor(text, gpus):
    assert parse_gpus(text) == gpus


@pytest.mark.parametrize("text", ["0,x", "amd:x", "matrox", "-1"])
def test_what_names_no_gpu_is_refused(text):
    with pytest.raises(UserError, match="must be 'all'"):
        parse_gpus(text)


def test_problems_are_told_once_with_how_often(capsys):
    print_problems([Problem("a", "b")] * 3 + [Problem("c", str(n)) for n in range(30)])

    err = capsys.readouterr().err
    assert "a: b (3 times)" in err
    assert err.rstrip().endswith("11 more")
