import itertools
import random
import zlib

import pytest
from botocore.eventstream import EventStreamBuffer
from hypothesis import given
from hypothesis import strategies as st

from modicum.providers.bedrock.frames import FrameBuffer, read_frame, write_frame

FRAMES = [write_frame("chunk", b'{"bytes":"eA=="}'), write_frame("throttlingException", b"{}", is_exception=True)]


def test_awss_own_parser_reads_what_is_written():
    buffer = EventStreamBuffer()
    buffer.add_data(b"".join(FRAMES))
    events = list(buffer)

    assert [event.headers[":message-type"] for event in events] == ["event", "exception"]
    assert events[0].payload == b'{"bytes":"eA=="}'
    read = [read_frame(raw) for raw in FRAMES]
    assert [(one.kind, one.is_exception) for one in read] == [("chunk", False), ("throttlingException", True)]


@given(st.lists(st.integers(0, sum(map(len, FRAMES)))))
def test_where_a_stream_is_cut_changes_nothing(places):
    whole, cuts = b"".join(FRAMES), [0, *sorted(places), None]
    buffer = FrameBuffer()
    frames = [frame for start, end in itertools.pairwise(cuts) for frame in buffer.feed(whole[start:end])]

    assert frames == FRAMES
    assert buffer.end() == b""


def test_headers_of_every_type_are_passed_over():
    values = [b"\x00", b"\x01", b"\x02\x07", b"\x03\x00\x07", b"\x04" + b"\0" * 4, b"\x05" + b"\0" * 8]
    values += [b"\x06\x00\x01x", b"\x08" + b"\0" * 8, b"\x09" + b"\0" * 16]
    extra = b"".join(bytes([1]) + b"n" + value for value in values)
    plain = FRAMES[0]
    headers = plain[12 : 12 + int.from_bytes(plain[4:8], "big")]
    assert read_frame(framed(extra + headers, b"{}")).kind == "chunk"
    assert read_frame(framed(bytes([1]) + b"n" + b"\x63" + headers, b"{}")) is None  # of no type that there is


def framed(headers, payload):
    sizes = (16 + len(headers) + len(payload)).to_bytes(4, "big") + len(headers).to_bytes(4, "big")
    head = sizes + zlib.crc32(sizes).to_bytes(4, "big") + headers + payload
    return head + zlib.crc32(head).to_bytes(4, "big")


@pytest.mark.parametrize("seed", range(5))
def test_what_is_no_frame_passes_and_nobody_reads_it(seed):
    noise = random.Random(seed).randbytes(200)  # noqa: S311 - no secret
    buffer = FrameBuffer()
    passed = b"".join(buffer.feed(FRAMES[0] + noise) + buffer.feed(noise))

    assert passed + buffer.end() == FRAMES[0] + noise + noise
    assert buffer.is_broken
    damaged = bytearray(FRAMES[0])
    damaged[-6] ^= 1
    assert read_frame(bytes(damaged)) is None
    assert read_frame(noise[:5]) is None
