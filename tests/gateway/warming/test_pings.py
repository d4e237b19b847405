import json
from types import SimpleNamespace

import pytest

from modicum.gateway.warming.pings import is_billed_by_use, is_ping, make_ping


def exchange(body=b"{}", own_key=None, upstream_keys=()):
    request = SimpleNamespace(served=None, path="/v1/messages", query=b"", caller=None, headers={}, passing=[])
    upstream = SimpleNamespace(key_headers=lambda: list(upstream_keys))
    return SimpleNamespace(
        request=request,
        edited=body,
        caller=SimpleNamespace(own_key=own_key),
        route=SimpleNamespace(upstream=upstream),
    )


@pytest.mark.parametrize(
    ("key", "is_billed"),
    [
        ((b"x-api-key", b"sk-ant-api03-abcdefgh"), True),
        ((b"x-api-key", b"sk-ant-oat01-abcdefgh"), False),
        ((b"authorization", b"Bearer sk-ant-oat01-abcdefgh"), False),
        ((b"authorization", b"Bearer anything"), False),
    ],
)
def test_only_keys_that_are_billed_by_use_are(key, is_billed):
    assert is_billed_by_use(exchange(own_key=key)) is is_billed
    assert is_billed_by_use(exchange(upstream_keys=[key])) is is_billed


def test_without_a_key_nobody_knows_who_pays():
    assert not is_billed_by_use(exchange())


def test_all_but_the_size_of_the_reply_stays_byte_by_byte():
    body = b'{"model": "m",  "messages":[{"role":"user", "content":"\\u00e9 x"}],"max_tokens":5,"stream":true}'

    ping = make_ping(exchange(body))

    assert b'[{"role":"user", "content":"\\u00e9 x"}]' in ping.body
    assert json.loads(ping.body) == json.loads(body) | {"max_tokens": 1, "stream": False}
    assert is_ping({"cost_class": ping.headers[b"x-modicum-tag-cost_class"].decode()})


@pytest.mark.parametrize("body", [b"", b"[]", b'{"tools":', b"\xff"])
def test_what_cannot_be_read_gets_no_ping(body):
    assert make_ping(exchange(body)) is None
