"""Every dialect's tail over the same fixtures: cut anywhere, the bytes and the facts are the same."""

from itertools import pairwise
from pathlib import Path

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from modicum.providers import stream
from modicum.providers.dialects import DIALECTS
from modicum.providers.facts import ReplyFacts
from modicum.providers.openai.stream import ChatTail

FIXTURES = Path(__file__).parent / "fixtures"
STREAMS = sorted(path for path in FIXTURES.rglob("*") if path.suffix in {".sse", ".stream"})
FACTS = msgspec.json.Decoder(ReplyFacts)


def expected(path):
    return FACTS.decode(path.with_name(f"{path.name}.facts.json").read_bytes())


def fed(tail, chunks):
    out = [tail.feed(chunk) for chunk in chunks]
    return b"".join([*out, tail.end()]), tail.facts()


def cut(body, places):
    edges = [0, *sorted(place % (len(body) + 1) for place in places), len(body)]
    return [body[start:stop] for start, stop in pairwise(edges)]


def named(path):
    return f"{path.parent.name}/{path.name}"


@pytest.mark.parametrize("path", STREAMS, ids=named)
def test_a_stream_passes_unchanged_and_tells_its_facts(path):
    body = path.read_bytes()
    assert fed(DIALECTS[path.parent.name].tail(usage_asked=True), [body]) == (body, expected(path))


@given(path=st.sampled_from(STREAMS), places=st.lists(st.integers(0, 1 << 20), max_size=40), usage_asked=st.booleans())
def test_where_a_stream_is_cut_into_chunks_changes_nothing(path, places, usage_asked):
    body = path.read_bytes()
    dialect = DIALECTS[path.parent.name]
    whole = fed(dialect.tail(usage_asked), [body])
    assert fed(dialect.tail(usage_asked), cut(body, places)) == whole
    assert whole[1] == expected(path)


@pytest.mark.parametrize("path", STREAMS, ids=named)
def test_a_stream_may_come_byte_by_byte(path):
    body = path.read_bytes()
    chunks = [body[at : at + 1] for at in range(len(body))]
    assert fed(DIALECTS[path.parent.name].tail(usage_asked=True), chunks) == (body, expected(path))


@given(
    path=st.sampled_from(STREAMS),
    at=st.integers(0, 1 << 20),
    length=st.integers(0, 60),
    instead=st.binary(max_size=20) | st.sampled_from([b"null", b"[]", b"{}", b"-1", b'"x"', b"1e400", b"[" * 2000]),
)
def test_a_mutated_stream_passes_unchanged_and_raises_nothing(path, at, length, instead):
    body = path.read_bytes()
    at %= len(body)
    mutated = body[:at] + instead + body[at + length :]
    out, facts = fed(DIALECTS[path.parent.name].tail(usage_asked=True), cut(mutated, [at, at + 7]))
    assert out == mutated
    assert facts.usage is None or facts.usage.total_tokens > 0
    fed(DIALECTS[path.parent.name].tail(usage_asked=False), [mutated])


@given(st.binary(max_size=300))
@example(b"data: [DONE]\n\n")
def test_garbage_passes_unchanged(garbage):
    for dialect in DIALECTS.values():
        out, facts = fed(dialect.tail(usage_asked=True), [garbage])
        assert out == garbage
        assert facts.usage is None
        assert not facts.complete


def data(content):
    return b'data: {"choices":[{"index":0,"delta":{"content":"%b"}}]}\n\n' % content


def test_content_of_a_long_stream_is_kept_as_text_only(monkeypatch):
    monkeypatch.setattr(stream, "MOST_UNREAD", 500)
    monkeypatch.setattr(stream, "MOST_OUTPUT_TEXT", 40)
    tail = ChatTail()
    for _ in range(30):
        tail.feed(data(b"abcde"))
        assert tail._unread_size < 600
    assert tail.facts().output_text == "abcde" * 8
    assert tail.facts().output_chars == 150
