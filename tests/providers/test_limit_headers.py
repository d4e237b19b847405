import pytest

from modicum.providers.limit_headers import AnthropicLimitHeaders, LimitState, OpenAILimitHeaders

NOW = 1_790_000_000.0
STATES = [LimitState("requests", 60, 59, 1.0), LimitState("tokens", 150_000, 149_984, 360.0)]


def test_openais_headers_as_its_documentation_has_them():
    headers = {
        b"x-ratelimit-limit-requests": b"60",
        b"x-ratelimit-remaining-requests": b"59",
        b"x-ratelimit-reset-requests": b"1s",
        b"x-ratelimit-limit-tokens": b"150000",
        b"x-ratelimit-remaining-tokens": b"149984",
        b"x-ratelimit-reset-tokens": b"6m0s",
    }
    assert OpenAILimitHeaders().read(headers, NOW) == STATES
    assert dict(OpenAILimitHeaders().write(STATES, NOW)) == headers


def test_anthropics_headers_are_written_and_read_alike():
    written = dict(AnthropicLimitHeaders().write(STATES, NOW))
    assert written[b"anthropic-ratelimit-requests-limit"] == b"60"
    assert written[b"anthropic-ratelimit-requests-reset"] == b"2026-09-21T14:13:21Z"
    assert AnthropicLimitHeaders().read(written, NOW) == STATES


@pytest.mark.parametrize("reset", [b"120ms", b"1h2m3s"])
def test_openais_durations(reset):
    headers = {
        b"x-ratelimit-limit-tokens": b"5",
        b"x-ratelimit-remaining-tokens": b"0",
        b"x-ratelimit-reset-tokens": reset,
    }
    (state,) = OpenAILimitHeaders().read(headers, NOW)
    assert state.resets_in_s == {b"120ms": 0.12, b"1h2m3s": 3723.0}[reset]


@pytest.mark.parametrize("value", [b"", b"-1", b"many", b"9" * 40, b"1.5", "\u0667".encode(), b"nan"])
def test_what_is_no_count_says_nothing(value):
    headers = {b"x-ratelimit-limit-tokens": value, b"x-ratelimit-remaining-tokens": b"0"}
    assert OpenAILimitHeaders().read(headers, NOW) == []


@pytest.mark.parametrize("value", [b"", b"soon", b"1x", b"2026-13-01T00:00:00Z", b"2026-01-01T00:00:00", b"s" * 500])
def test_a_reset_that_nobody_can_read_is_none(value):
    for names in (OpenAILimitHeaders(), AnthropicLimitHeaders()):
        most, left, resets = names._names(b"tokens")
        (state,) = names.read({most: b"5", left: b"1", resets: value}, NOW)
        assert state.resets_in_s is None
