import httpx2

from modicum.calls import Usage
from modicum.providers.openai_transcriptions.dialect import DIALECT

TOKENS = (
    b'"usage":{"type":"tokens","input_tokens":30,"output_tokens":5,"total_tokens":35,'
    b'"input_token_details":{"text_tokens":4,"audio_tokens":26}}'
)


def test_a_request_is_a_form_with_a_file():
    form = httpx2.Request("POST", "http://x", data={"model": "whisper-1", "stream": "true"}, files={"file": b"\r\n\0"})
    facts = DIALECT.request(form.read(), "/v1/audio/transcriptions")
    assert (facts.model, facts.stream) == ("whisper-1", True)
    assert DIALECT.segments(form.read()) == DIALECT.blocks_of({}) == []


def test_a_reply_tells_tokens_or_seconds_or_nothing():
    facts = DIALECT.reply(b'{"text":"hi",' + TOKENS + b"}")
    assert facts.usage == Usage(input_uncached=4, input_audio=26, output_visible=5)
    seconds = DIALECT.reply(b'{"text":"hi","usage":{"type":"duration","seconds":12.3}}')
    assert (seconds.usage, seconds.charges.requests, seconds.charges.caveats) == (None, {"audio_second": 13}, ())
    assert DIALECT.reply(b"1\n00:00:00 --> 00:00:01\nhi").usage is None
    assert DIALECT.reply(b'{"error":{"type":"x"}}').error_kind == "x"


def test_a_stream_tells_its_usage_in_its_last_event():
    tail = DIALECT.tail(usage_asked=True)
    tail.feed(b'data: {"type":"transcript.text.delta","delta":"h"}\n\n')
    tail.feed(b'data: {"type":"transcript.text.done","text":"hi",' + TOKENS + b"}\n\n")
    assert (tail.facts().usage.input_audio, tail.facts().complete) == (26, True)
