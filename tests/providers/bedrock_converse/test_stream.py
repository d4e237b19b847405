import pytest

from modicum.providers.bedrock.frames import read_frame, write_frame
from modicum.providers.bedrock_converse.stream import ConverseTail, event_in


def fed(*frames):
    tail = ConverseTail()
    for raw in frames:
        tail.feed(b"data: %b\n\n" % event_in(read_frame(raw)))
    return tail.facts()


def test_words_reasoning_and_arguments_are_counted_where_it_breaks_off():
    deltas = [b'{"text":"Pa"}', b'{"toolUse":{"input":"{}"}}', b'{"reasoningContent":{"text":"hm"}}']
    start = write_frame("contentBlockStart", b'{"start":{"toolUse":{"toolUseId":"1","name":"look"}}}')
    facts = fed(start, *(write_frame("contentBlockDelta", b'{"delta":%b}' % delta) for delta in deltas))
    assert (facts.output_text, facts.usage, facts.complete) == ("lookPa{}hm", None, False)


@pytest.mark.parametrize("payload", [b"", b"{}", b"[", b'{"usage":3}'])
def test_whatever_a_frame_holds_nothing_is_raised(payload):
    facts = fed(write_frame("metadata", payload), write_frame("throttlingException", payload, is_exception=True))
    assert (facts.usage, facts.error_kind) == (None, "throttlingException")
