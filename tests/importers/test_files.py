import gzip
import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from modicum.calls import Problem
from modicum.importers import files
from modicum.importers.files import blocks, document, head, lines, log_files, records


def reasons(found):
    return [item.reason for item in found if isinstance(item, Problem)]


def test_lines_are_numbered_and_empty_ones_passed_over(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"one\n\ntwo\r\nthree")

    assert list(lines(path)) == [(1, b"one"), (3, b"two"), (4, b"three")]


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.lists(st.binary(max_size=30).filter(lambda b: b"\n" not in b)), size=st.integers(1, 64))
def test_pieces_of_any_size_give_the_same_lines(content, size, tmp_path, monkeypatch):
    monkeypatch.setattr(files, "BLOCK_BYTES", size)
    path = tmp_path / "a"
    path.write_bytes(b"\n".join(content))

    joined = b"".join(block.data for block in blocks(path))

    assert joined == path.read_bytes()
    assert all(block.data.count(b"\n") in {0, 1} or size > 1 for block in blocks(path))
    numbered = [(n, part.strip()) for n, part in enumerate(path.read_bytes().split(b"\n"), 1) if part.strip()]
    assert list(lines(path)) == numbered


def test_of_a_gzip_that_is_cut_off_all_that_can_be_read_is_given(tmp_path):
    path = tmp_path / "a.jsonl.gz"
    noise = os.urandom(40_000).hex().encode()
    packed = gzip.compress(b"first\n" + noise + b"\nlast\n")
    path.write_bytes(packed[: len(packed) // 2])

    found = list(lines(path))

    assert found[0] == (1, b"first")
    assert "cut off" in reasons(found)[0]


def test_a_damaged_gzip_is_a_problem(tmp_path):
    path = tmp_path / "a.gz"
    packed = bytearray(gzip.compress(b"x" * 1000))
    packed[-6] ^= 0xFF
    path.write_bytes(packed)

    assert "damaged" in reasons(lines(path))[0]


def test_a_line_beyond_the_limit_is_left_out_with_its_number(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "MOST_LINE_BYTES", 100)
    monkeypatch.setattr(files, "BLOCK_BYTES", 32)
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"one\n" + b"x" * 500 + b"\nthree\n")

    found = list(lines(path))

    assert [item for item in found if not isinstance(item, Problem)] == [(1, b"one"), (3, b"three")]
    assert [(p.line, "longer than" in p.reason) for p in found if isinstance(p, Problem)] == [(2, True)]


def test_links_in_a_circle_end_and_unreadable_folders_are_problems(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "s.jsonl").write_text("{}")
    (tmp_path / "a" / "round").symlink_to(tmp_path)
    (tmp_path / "notes.md").write_text("no log")

    assert [path.name for path in log_files(tmp_path)] == ["s.jsonl"]


def test_a_folder_without_logs_says_so(tmp_path):
    (tmp_path / "notes.md").write_text("no log")

    assert "holds no logs" in reasons(log_files(tmp_path))[0]


def test_a_dangling_link_and_a_missing_path_are_problems(tmp_path):
    (tmp_path / "gone.jsonl").symlink_to(tmp_path / "nowhere")

    (found,) = log_files(tmp_path)
    assert "No such file" in head(found).reason
    assert "no such file" in reasons(log_files(tmp_path / "nowhere"))[0]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b'{"a": 1}\n{"a": 2}\n', [(1, {"a": 1}), (2, {"a": 2})]),
        (b'[{"a": 1},\n {"a": 2}]', [(1, {"a": 1}), (2, {"a": 2})]),
        (b'{\n "a": 1\n}', [(1, {"a": 1})]),
        (b'\xef\xbb\xbf{"a": 1}', [(1, {"a": 1})]),
    ],
)
def test_objects_come_a_line_each_in_an_array_or_alone(tmp_path, content, expected):
    path = tmp_path / "a.json"
    path.write_bytes(content)

    assert list(records(path)) == expected


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b'{"a": 1}\n{"a": \xff}\n', "UTF-8"),
        (b'{"a": 1}\n{"a": \n', "not valid JSON"),
        (b'{"a": 1}\n[1]\n', "a JSON list where an object is expected"),
        (b"[1, 2]", "item 1 is no JSON object"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"a": 1}\n{"a": ' + b"9" * 5000 + b"}\n", "a number is too long"),
    ],
)
def test_what_is_no_object_is_a_problem(tmp_path, content, reason):
    path = tmp_path / "a.json"
    path.write_bytes(content)

    assert any(reason in given for given in reasons(records(path)))


def test_a_document_that_is_none_names_its_line(tmp_path):
    path = tmp_path / "a.json"
    path.write_text('{\n"a": 1,\n}')

    assert document(path).line == 3
