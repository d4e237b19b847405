"""Heads are written once for bodies of any size, and nothing in them ends them early."""

import pytest

from modicum.outbound.hosts import Origin
from modicum.outbound.request_heads import open_head, request_head

ORIGIN = Origin("h", 80, tls=False)


def test_one_head_stands_before_bodies_of_any_size():
    head = open_head(b"POST", b"/v1", ORIGIN, [(b"a", b"b")])

    assert head.with_length(7) == b"POST /v1 HTTP/1.1\r\nhost: h\r\ncontent-length: 7\r\na: b\r\n\r\n"
    assert head.in_chunks() == b"POST /v1 HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\na: b\r\n\r\n"
    assert request_head(b"GET", b"/", ORIGIN, [], 0).endswith(b"content-length: 0\r\n\r\n")


@pytest.mark.parametrize(
    ("target", "header"),
    [(b"/a\r\nx: y", (b"a", b"b")), (b"/", (b"a", b"b\r\nx: y")), (b"/a b", (b"a", b"b")), (b"/", (b"a\n", b"b"))],
)
def test_what_would_break_out_of_its_header_is_refused(target, header):
    with pytest.raises(ValueError, match="control character"):
        request_head(b"POST", target, ORIGIN, [header], 0)
