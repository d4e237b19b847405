import asyncio

import pytest

from modicum.gateway.http.refusal import ClientGone, Refused
from modicum.gateway.http.upload import Upload, too_large


def upload(*messages, length=None, most=100, slow_s=5.0):
    given = list(messages)

    async def receive():
        if not given:
            await asyncio.Event().wait()
        return given.pop(0)

    return Upload(receive, length, most, slow_s)


def part(body, more=True):
    return {"type": "http.request", "body": body, "more_body": more}


async def pieces(one):
    found = []
    while piece := await one.piece():
        found.append(piece)
    return found


def test_with_a_length_pieces_pass_as_they_come_and_without_one_in_chunks():
    messages = part(b"abc"), part(b""), part(b"de", more=False)
    assert asyncio.run(pieces(upload(*messages, length=5))) == [b"abc", b"de"]
    assert asyncio.run(pieces(upload(*messages))) == [b"3\r\nabc\r\n", b"2\r\nde\r\n0\r\n\r\n"]
    assert asyncio.run(pieces(upload(part(b"abc"), part(b"", more=False)))) == [b"3\r\nabc\r\n", b"0\r\n\r\n"]
    assert asyncio.run(pieces(upload(part(b"", more=False), length=0))) == []


@pytest.mark.parametrize(
    ("one", "status"),
    [(upload(part(b"x" * 101), length=200), 413), (upload(part(b"x"), slow_s=0.01), 408)],
)
def test_one_that_is_too_large_or_too_slow_is_refused(one, status):
    with pytest.raises(Refused) as refusal:
        asyncio.run(pieces(one))
    assert refusal.value.status == status
    assert "most_upload_mb" in too_large(1).message


def test_a_caller_that_leaves_is_gone():
    with pytest.raises(ClientGone):
        asyncio.run(pieces(upload({"type": "http.disconnect"})))
