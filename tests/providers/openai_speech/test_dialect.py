from modicum.calls import SegmentKind, Usage
from modicum.providers.blocks import Block
from modicum.providers.openai_speech.dialect import DIALECT


def test_sound_comes_as_it_is_made():
    facts = DIALECT.request(b'{"model":"tts-1","input":"hi","voice":"alloy"}', "/v1/audio/speech")
    assert (facts.model, facts.stream) == ("tts-1", True)
    assert DIALECT.segments(b'{"input":"hi","instructions":"calm"}') == [
        Block(SegmentKind.USER, "calm"),
        Block(SegmentKind.USER, "hi"),
    ]


def test_sound_tells_nothing_and_events_tell_usage():
    assert (DIALECT.reply(b"ID3").usage, DIALECT.reply(b"ID3").complete) == (None, True)
    assert DIALECT.reply(b'{"error":{"type":"x"}}').error_kind == "x"
    assert DIALECT.reply(b"{no").complete
    tail = DIALECT.tail(usage_asked=True)
    tail.feed(b'data: {"type":"speech.audio.done","usage":{"input_tokens":3,"output_tokens":90,"total_tokens":93}}\n\n')
    assert tail.facts().usage == Usage(input_uncached=3, output_audio=90)
