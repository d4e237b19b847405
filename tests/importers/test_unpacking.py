import gzip
import os
import sys
from pathlib import Path

import pytest

from modicum.calls import Problem
from modicum.importers import read_calls, unpacking
from modicum.importers.format import Reading
from modicum.importers.unpacking import pieces, plain_name

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

FIXTURES = Path(__file__).parent / "fixtures"
TEXT = '{"a": "é"}\n{"a": "\U0001f600"}\n'


def content(path):
    return b"".join(piece for piece in pieces(path, 1 << 20) if not isinstance(piece, Problem))


def reasons(path):
    return [piece.reason for piece in pieces(path, 1 << 20) if isinstance(piece, Problem)]


@pytest.mark.parametrize("pack", [bytes, gzip.compress, zstd.compress])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be"])
def test_content_is_utf8_however_it_was_packed_and_encoded(tmp_path, pack, encoding):
    path = tmp_path / "a"
    mark = "\ufeff" if encoding == "utf-16-be" else ""
    path.write_bytes(pack((mark + TEXT).encode(encoding)))

    assert content(path) == TEXT.encode()
    assert reasons(path) == []


def test_utf16_that_ends_in_a_character_is_read_up_to_it(tmp_path):
    path = tmp_path / "a"
    path.write_bytes("\ufeffab".encode("utf-16-le") + b"c")

    assert content(path) == b"ab"
    assert "middle of a UTF-16 character" in reasons(path)[0]


def test_of_a_zstd_that_is_cut_off_or_damaged_all_that_can_be_read_is_given(tmp_path):
    path = tmp_path / "a.zst"
    packed = zstd.compress(b"first\n") + zstd.compress(os.urandom(40_000).hex().encode())
    path.write_bytes(packed[:-100])

    assert content(path).startswith(b"first\n")
    assert "cut off" in reasons(path)[0]

    path.write_bytes(zstd.compress(b"first\n") + b"no zstd frame at all")
    assert content(path).startswith(b"first\n")
    assert "damaged" in reasons(path)[0]


@pytest.mark.parametrize("pack", [gzip.compress, zstd.compress])
def test_a_small_file_does_not_become_a_large_one(tmp_path, pack, monkeypatch):
    monkeypatch.setattr(unpacking, "UNPACKED_FREELY_BYTES", 1 << 20)
    path = tmp_path / "a"
    path.write_bytes(pack(bytes(64 << 20)))

    assert len(content(path)) < 16 << 20
    assert "which no log does" in reasons(path)[0]


def test_the_ending_of_a_packing_is_no_part_of_the_name():
    assert [plain_name(name) for name in ("a.jsonl.zst", "a.jsonl.gz", "a.jsonl")] == ["a.jsonl"] * 3


def test_rollouts_that_codex_has_packed_are_the_same_calls(tmp_path):
    folders = tmp_path / "plain", tmp_path / "packed"
    for folder in folders:
        folder.mkdir()
    for rollout in (FIXTURES / "codex").glob("*.jsonl"):
        (folders[0] / rollout.name).write_bytes(rollout.read_bytes())
        (folders[1] / f"{rollout.name}.zst").write_bytes(zstd.compress(rollout.read_bytes()))

    plain, packed = ([(call.call_id, call.usage) for call in _calls(folder)] for folder in folders)

    assert plain
    assert plain == packed


def _calls(folder):
    return [found for found in read_calls([folder], Reading()) if not isinstance(found, Problem)]
