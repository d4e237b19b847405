"""Requests that can be translated, and the words for those that cannot."""

import msgspec
import pytest

from modicum.providers.facts import DialectError
from modicum.providers.translation.translation import (
    MOST_NAMES,
    decode_request,
    left_out_names,
    unsupported,
    unusable_reply,
)


class Known(msgspec.Struct, forbid_unknown_fields=True):
    model: str
    n: int = 1


DECODER = msgspec.json.Decoder(Known)


def test_a_request_of_known_fields_is_read():
    assert decode_request(DECODER, b'{"model":"m","n":2}', "Anthropic", []) == Known("m", 2)


@pytest.mark.parametrize(("body", "field"), [(b'{"model":"m","audio":{}}', "audio"), (b'{"model":"m","n":"x"}', "n")])
def test_a_field_without_counterpart_is_named_and_so_is_the_api_that_lacks_it(body, field):
    with pytest.raises(DialectError, match=f"Anthropic API.*{field}") as raised:
        decode_request(DECODER, body, "Anthropic", [])
    assert (raised.value.status, raised.value.kind) == (400, "untranslatable")


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"not json"])
def test_what_is_not_json_is_said_to_be_none(body):
    with pytest.raises(DialectError, match="is not JSON") as raised:
        decode_request(DECODER, body, "Anthropic", [])
    assert raised.value.status == 400


def test_a_request_is_the_callers_fault_and_a_reply_the_upstreams():
    assert (unsupported("logit_bias", "Anthropic").status, unusable_reply("it is not JSON").status) == (400, 502)
    assert unusable_reply("it is not JSON").message == "the upstream's reply cannot be translated: it is not JSON"


class Part(msgspec.Struct, forbid_unknown_fields=True, tag_field="type", tag="text"):
    text: str


class Outer(msgspec.Struct, forbid_unknown_fields=True):
    messages: list[Part]
    seed: int | None = None


def test_what_stands_beside_what_is_understood_is_taken_out_and_named():
    left_out = []
    body = b'{"messages":[{"type":"text","text":"hi","id":7,"index":null}],"provider":{},"nothing":null}'
    read = decode_request(msgspec.json.Decoder(Outer), body, "Anthropic", left_out, {"provider"})
    assert read == Outer([Part("hi")])
    assert left_out == ["messages.id", "provider"]


def test_what_a_header_says_holds_no_line_of_its_own_and_has_an_end():
    names = left_out_names(["tool a\r\nset-cookie: x", "caf\u00e9", "n" * 1000, "store", "store"])
    assert names == ("'tool a\\r\\nset-cookie: x'", "'caf\\xe9'", "n" * 100, "store")
    assert len(left_out_names(map(str, range(1000)))) == MOST_NAMES
