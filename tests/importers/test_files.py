import gzip
import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from modicum.calls import Problem
from modicum.importers import files
from modicum.importers.files import blocks, document, head, is_document, lines, records
from modicum.importers.line_values import HOLE


def reasons(found):
    return [item.reason for item in found if isinstance(item, Problem)]


def test_lines_are_numbered_and_empty_ones_passed_over(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"one\n\ntwo\r\nthree")

    assert list(lines(path)) == [(1, b"one"), (3, b"two"), (4, b"three")]


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.lists(st.binary(max_size=30).map(lambda b: b.translate(None, b"\n\x00{}"))), size=st.integers(4, 64))
def test_pieces_of_any_size_give_the_same_lines(content, size, tmp_path, monkeypatch):
    monkeypatch.setattr(files, "BLOCK_BYTES", size)
    path = tmp_path / "a"
    path.write_bytes(b"a" + b"\n".join(content))  # it begins as no packed file and no mark of an encoding does

    joined = b"".join(block.data for block in blocks(path))

    assert joined == path.read_bytes()
    assert all(block.data.count(b"\n") in {0, 1} or size > 1 for block in blocks(path))
    numbered = [(n, part.strip()) for n, part in enumerate(path.read_bytes().split(b"\n"), 1) if part.strip()]
    assert list(lines(path)) == numbered


def test_a_hole_is_a_problem_and_what_stands_beside_it_is_read(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'\x00\x00{"a": 1}\n' + bytes(70_000) + b'{"a": 2}\n{"a": 3}{"a": 4}\n')

    assert list(lines(path)) == [
        Problem(str(path), HOLE, 1),
        (1, b'{"a": 1}'),
        Problem(str(path), HOLE, 2),
        (2, b'{"a": 2}'),
        (3, b'{"a": 3}'),
        (3, b'{"a": 4}'),
    ]


def test_a_file_that_begins_with_a_hole_has_a_head(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_bytes(bytes(300_000) + b'\n{"a": 2}\n')

    assert head(path) == b'{"a": 2}\n'


def test_values_on_one_line_are_no_document(tmp_path):
    assert not is_document(b'{"a": 1}{"a": 2}\n{"a": 3}\n')
    assert is_document(b'{"a": [\n{"a": 2}\n]}\n')


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

    assert document(path).line in (2, 3)  # newer Pythons name the comma, not the bracket behind it
