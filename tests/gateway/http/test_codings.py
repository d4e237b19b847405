import gzip
import zlib
from itertools import pairwise

import pytest
from backports import zstd
from hypothesis import given
from hypothesis import strategies as st

from modicum.gateway.http.codings import PIECE_BYTES, BadCodingError, Unpacker, coding_of, without_coding


def raw_deflate(data):
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


PACKED = [
    (b"gzip", gzip.compress),
    (b"x-gzip", gzip.compress),
    (b"deflate", zlib.compress),
    (b"deflate", raw_deflate),
    (b"zstd", zstd.compress),
]


@pytest.mark.parametrize(("coding", "pack"), PACKED)
@given(data=st.binary(max_size=3000), cuts=st.lists(st.integers(0, 3000), max_size=4))
def test_what_was_packed_comes_back_however_it_is_cut(coding, pack, data, cuts):
    packed = pack(data)
    unpacker = Unpacker(coding)
    edges = sorted([0, *(min(cut, len(packed)) for cut in cuts), len(packed)])

    found = b"".join(piece for start, end in pairwise(edges) for piece in unpacker.pieces(packed[start:end]))

    assert found == data
    assert unpacker.complete


@pytest.mark.parametrize(("coding", "pack"), [PACKED[0], PACKED[4]])
def test_parts_strung_together_are_one_body(coding, pack):
    assert b"".join(Unpacker(coding).pieces(pack(b"one ") + pack(b"two"))) == b"one two"


@pytest.mark.parametrize(("coding", "pack"), PACKED)
def test_a_bomb_comes_in_pieces(coding, pack):
    packed = pack(bytes(8 * PIECE_BYTES))

    pieces = Unpacker(coding).pieces(packed)

    assert len(packed) < PIECE_BYTES / 50
    assert all(len(piece) <= PIECE_BYTES for piece in pieces)


@pytest.mark.parametrize(("coding", "pack"), PACKED)
def test_a_body_that_ends_too_early_is_not_complete(coding, pack):
    unpacker = Unpacker(coding)

    list(unpacker.pieces(pack(b"something longer" * 10)[:-3]))

    assert not unpacker.complete


@pytest.mark.parametrize("coding", [b"gzip", b"deflate", b"zstd"])
def test_broken_bytes_are_told(coding):
    with pytest.raises(BadCodingError):
        list(Unpacker(coding).pieces(b"\x1f not packed at all, and long enough for a header"))


def test_a_zstd_window_that_would_take_too_much_memory_is_refused():
    options = {zstd.CompressionParameter.window_log: 27}
    packer = zstd.ZstdCompressor(options=options)
    packed = packer.compress(b"a" * 100) + packer.flush()

    with pytest.raises(BadCodingError):
        list(Unpacker(b"zstd").pieces(packed))


def test_a_replys_coding_is_read_and_taken_away():
    headers = [(b"content-type", b"x"), (b"content-encoding", b" GZIP ")]

    assert coding_of(headers) == b"gzip"
    assert coding_of(without_coding(headers)) == coding_of([(b"content-encoding", b"identity")]) == b""
