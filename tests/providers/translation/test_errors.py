"""Errors of an upstream, in the caller's dialect."""

import msgspec
import pytest

from modicum.providers.dialects import DIALECTS
from modicum.providers.translation.errors import error
from providers.translation.rig import upstream

OPENAI, ANTHROPIC = DIALECTS["openai-chat"], DIALECTS["anthropic-messages"]


def test_status_message_and_kind_cross_over():
    status, body = error(ANTHROPIC, 429, upstream("rate_limited.json", "openai-chat"))

    assert status == 429
    assert msgspec.json.decode(body) == {
        "type": "error",
        "error": {"type": "rate_limit_error", "message": "Rate limit reached for gpt-5"},
    }


def test_want_of_capacity_has_the_status_that_the_caller_expects():
    body = upstream("overloaded.json", "anthropic-messages")

    status, translated = error(OPENAI, 529, body)
    assert status == 503
    assert msgspec.json.decode(translated)["error"] == {
        "message": "Overloaded",
        "type": "server_error",
        "param": None,
        "code": "overloaded_error",
    }
    assert error(ANTHROPIC, 529, body)[0] == 529


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b'[{"error":{"message":"the quota is spent"}}]', "the quota is spent"),
        (b'{"error":"no such model"}', "no such model"),
        (b'{"object":"error","message":"too long"}', "too long"),
        (b"<html>Bad Gateway</html>", "the upstream answered with an error that it did not explain"),
        (b"[]", "the upstream answered with an error that it did not explain"),
        (b'{"error":{"message":"%b"}}' % (b"x" * 9000), "x" * 2000),
    ],
)
def test_messages_are_read_in_all_the_shapes_that_hosts_have(body, message):
    status, translated = error(OPENAI, 502, body)

    assert status == 502
    assert msgspec.json.decode(translated)["error"]["message"] == message
