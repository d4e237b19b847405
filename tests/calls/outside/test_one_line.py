from hypothesis import given
from hypothesis import strategies as st

from modicum.calls.outside.one_line import one_line


def test_line_breaks_and_escapes_are_written_out():
    assert one_line("a\nb\t\x1b[31mc\u2028d\u202e") == r"a\nb\t\x1b[31mc\u2028d\u202e"


def test_names_in_any_script_stay_as_they_are():
    for name in ("Prüferin", "検証者", "👩‍🔬 critic", "a\u00a0b", r"C:\new"):
        assert one_line(name) == name


@given(st.text())
def test_what_comes_out_is_one_line(text):
    assert len(one_line(text).splitlines()) <= 1
