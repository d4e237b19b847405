from modicum.calls import Problem
from modicum.importers.csv_rows import csv_rows, text_lines


def rows(path, text):
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return list(csv_rows(path))


def test_rows_come_with_the_line_on_which_they_end(tmp_path):
    assert rows(tmp_path / "t.csv", 'a,b\n"x\ny",2\n\n3,4\n') == [(1, ["a", "b"]), (3, ["x\ny", "2"]), (5, ["3", "4"])]


def test_other_delimiters(tmp_path):
    path = tmp_path / "t.tsv"
    path.write_text("a\tb,c\n")

    assert list(csv_rows(path, "\t")) == [(1, ["a", "b,c"])]


def test_what_is_no_text_or_no_csv_ends_nothing(tmp_path):
    found = rows(tmp_path / "t.csv", b'a,b\n\xff\xfe,1\n"x"y,1\n5,6\n')

    assert [row for row in found if not isinstance(row, Problem)] == [(1, ["a", "b"]), (4, ["5", "6"])]
    assert sorted((row.line, row.reason.partition(":")[0]) for row in found if isinstance(row, Problem)) == [
        (2, "bytes that are no UTF-8"),
        (3, "no CSV row"),
    ]


def test_lines_keep_their_ends(tmp_path):
    path = tmp_path / "t.txt"
    path.write_bytes(b"\xef\xbb\xbfa\nb")

    assert list(text_lines(path)) == [(1, "a\n"), (2, "b")]
