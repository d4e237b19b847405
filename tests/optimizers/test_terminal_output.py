import pytest

from modicum.optimizers.terminal_output import plain_output


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("\x1b[1;31mred\x1b[0m", "red"),
        ("a\r 10 %\r 20 %\nb", " 20 %\nb"),
        ("line\r\nnext\r\n", "line\r\nnext\r\n"),
        ("\x1b]8;;http://x\x07link\x1b]8;;\x07", "link"),
        ("no escapes", "no escapes"),
        ("\x1b\x1b[m[31mred", "red"),
    ],
)
def test_it_is_what_a_terminal_shows(text, plain):
    assert plain_output(text) == plain


def test_escapes_within_escapes_without_end_stay():
    text = "\x1b" * 50 + "[m" * 50

    assert plain_output(text) == text
