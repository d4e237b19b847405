from time import time

from modicum.gateway.crossed_headers import crossed_headers
from modicum.providers.dialects import DIALECTS

CHAT, MESSAGES, GEMINI = (DIALECTS[name] for name in ("openai-chat", "anthropic-messages", "gemini-generate"))


def test_the_id_and_the_limits_are_in_the_names_of_the_callers_api():
    headers = [
        (b"request-id", b"req_1"),
        (b"anthropic-ratelimit-requests-limit", b"50"),
        (b"anthropic-ratelimit-requests-remaining", b"49"),
        (b"anthropic-organization-id", b"secret"),
        (b"retry-after", b"7"),
    ]
    assert sorted(crossed_headers(headers, MESSAGES, CHAT)) == [
        (b"retry-after", b"7"),
        (b"x-ratelimit-limit-requests", b"50"),
        (b"x-ratelimit-remaining-requests", b"49"),
        (b"x-request-id", b"req_1"),
    ]


def test_the_time_of_a_reset_is_told_as_the_caller_reads_it():
    headers = [
        (b"x-ratelimit-limit-tokens", b"9"),
        (b"x-ratelimit-remaining-tokens", b"3"),
        (b"x-ratelimit-reset-tokens", b"6m0s"),
    ]
    crossed = dict(crossed_headers([*headers, (b"x-request-id", b"r")], CHAT, MESSAGES))
    (reset,) = MESSAGES.api.limits.read(crossed, time())
    assert (reset.most, reset.left) == (9, 3)
    assert 350 < reset.resets_in_s <= 360
    assert crossed[b"request-id"] == b"r"


def test_an_api_without_such_headers_gets_none():
    assert crossed_headers([(b"x-request-id", b"r"), (b"x-ratelimit-limit-tokens", b"9")], CHAT, GEMINI) == [
        (b"x-request-id", b"r")
    ]
