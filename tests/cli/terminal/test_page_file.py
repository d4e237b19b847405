from pathlib import Path

import pytest

from modicum.calls import UserError
from modicum.cli.terminal.page_file import check_page_place, write_page


def test_a_page_goes_into_its_file_and_says_so_beside_what_is_printed(tmp_path, capsys):
    write_page("<p>page</p>", tmp_path / "bill.html")

    assert (tmp_path / "bill.html").read_text() == "<p>page</p>"
    assert capsys.readouterr() == ("", f"written to {tmp_path / 'bill.html'}\n")


def test_a_dash_prints_it_and_nothing_else(capsys):
    write_page("<p>page</p>\n", Path("-"))

    assert capsys.readouterr() == ("<p>page</p>\n", "")


def test_a_place_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(UserError, match="No such file or directory; name another file"):
        write_page("", tmp_path / "none" / "bill.html")


def test_a_page_is_not_printed_in_the_middle_of_rows():
    with pytest.raises(UserError, match="give --html a file"):
        check_page_place(Path("-"), prints_rows=True)
    check_page_place(Path("-"), prints_rows=False)
    check_page_place(Path("bill.html"), prints_rows=True)
