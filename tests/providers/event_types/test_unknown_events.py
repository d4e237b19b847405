import pytest

from modicum.providers.bedrock.frames import write_frame
from modicum.providers.bedrock_invoke.dialect import frame_of
from modicum.providers.dialects import DIALECTS
from modicum.providers.event_types.unknown_events import MOST_NAMES, UnknownEvents, stranger

KNOWN = frozenset({"message_start", "ping"})


def seen(raw, known=KNOWN):
    unknown = UnknownEvents(stranger(known), known)
    unknown.take(raw)
    return unknown


@pytest.mark.parametrize(
    ("raw", "counts"),
    [
        (b'event: later\ndata: {"type":"later"}\n\n' * 2, {"later": 2}),
        (b'event:later\r\ndata: {"type":"later"}\r\n\r\n', {"later": 1}),
        (b'event: ping\ndata: {"type":"ping"}\n\nevent: pingpong\ndata: {}\n\n', {"pingpong": 1}),
        (b'event: message\ndata: {"type":"ping"}\n\n', {}),  # the line says nothing, the document is known
        (b"event: a name\x00 with blanks\ndata: [\n\n", {"no_plain_name": 1}),
    ],
)
def test_types_that_nobody_knows_are_counted_by_name(raw, counts):
    assert seen(raw).counts == counts


def test_names_are_bounded():
    raw = b"".join(b"event: t%d\ndata: {}\n\n" % number for number in range(30))
    counts = seen(raw).counts
    assert len(counts) == MOST_NAMES + 1
    assert counts["others"] == 30 - MOST_NAMES


@pytest.mark.parametrize(
    ("document", "numbers"),
    [
        (b'{"usage":{"smell_tokens":3}}', ["stream.later.usage"]),
        (b'{"delta":{"thought_tokens":3}}', ["stream.later.delta.thought_tokens"]),
        (b'{"usage":{"smell_tokens":0},"index":4,"text":"3 tokens"}', []),
        (b'{"usage":null}', []),
    ],
)
def test_numbers_that_look_like_usage_are_named(document, numbers):
    assert seen(b"event: later\ndata: %b\n\n" % document).numbers == numbers


STREAMS = {
    "anthropic-messages": (
        b'event: later\ndata: {"type":"later","usage":{"x_tokens":2}}\n\n',
        "stream.later.usage",
    ),
    "openai-responses": (
        b'event: response.smell.delta\ndata: {"type":"response.smell.delta","x_tokens":2}\n\n',
        "stream.response.smell.delta.x_tokens",
    ),
    "vertex-claude": (
        b'event: later\ndata: {"type":"later","usage":{"x_tokens":2}}\n\n',
        "stream.later.usage",
    ),
    "bedrock-invoke": (frame_of(b'{"index":1,"usage":{"x_tokens":2},"type":"later"}'), "stream.later.usage"),
    "bedrock-converse": (write_frame("later", b'{"usage":{"x_tokens":2}}'), "stream.later.later.usage"),
}


@pytest.mark.parametrize("name", STREAMS)
def test_every_dialect_with_types_sees_them_wherever_the_stream_is_cut(name):
    raw, path = STREAMS[name]
    for at in range(len(raw)):
        tail = DIALECTS[name].tail(usage_asked=True)
        assert tail.feed(raw[:at]) + tail.feed(raw[at:]) + tail.end() == raw
        facts = tail.facts()
        assert sum(facts.unknown_events.values()) == 1
        assert facts.is_doubted
        assert facts.charges.caveats == (path,)
