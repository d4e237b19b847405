"""Events joined as the standard says, wherever the stream is cut and however its lines end."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modicum.providers import event_stream
from modicum.providers.event_stream import (
    EventBuffer,
    PassingBuffer,
    end_of_events,
    event_data,
    stream_data,
    whole_events,
)
from modicum.providers.openai.stream import ChatTail

EVENTS = [
    [b'data: {"a":1}'],
    [b": a comment", b"event: x", b'data: {"b":2}', b"id: 7"],
    [b"data: {", b'data:   "c": [', b'data: {"d":4}', b"data: ]", b"data: }"],
    [b"data:", b'data:{"e":5}', b"retry: 10"],
    [b": only a comment"],
    [b"data: [DONE]"],
]
DATA = [b'{"a":1}', b'{"b":2}', b'{\n"c": [\n{"d":4}\n]\n}', b'{"e":5}', b"[DONE]"]


def stream(end, mark=b""):
    return mark + b"".join(b"".join(line + end for line in event) + end for event in EVENTS)


def buffered(chunks):
    buffer = EventBuffer()
    return [data for block in [*map(buffer.feed, chunks), buffer.end()] for data in event_data(block)]


@given(
    end=st.sampled_from([b"\n", b"\r\n", b"\r"]),
    mark=st.sampled_from([b"", b"\xef\xbb\xbf"]),
    places=st.lists(st.integers(0, 400), max_size=30),
)
def test_events_come_whole_wherever_they_are_cut(end, mark, places):
    body = stream(end, mark)
    edges = [0, *sorted(place % len(body) for place in places), len(body)]
    assert buffered([body[start:stop] for start, stop in pairwise(edges)]) == DATA
    assert list(stream_data(body)) == DATA


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_events_may_come_byte_by_byte(end):
    body = stream(end, b"\xef\xbb\xbf")
    assert buffered([body[at : at + 1] for at in range(len(body))]) == DATA


@pytest.mark.parametrize("size", [1, 5, 1000])
def test_events_without_empty_lines_between_them_are_told_apart(size):
    body = b'data: {"a":1}\ndata: {"b":{}}\ndata: [DONE]\n'
    chunks = [body[at : at + size] for at in range(0, len(body), size)]
    assert buffered(chunks) == [b'{"a":1}', b'{"b":{}}', b"[DONE]"]


def test_an_object_on_the_last_line_of_a_longer_event_does_not_end_it():
    chunks = [b"data: {\n", b'data: "c": [\n', b'data: {"d":4}\n', b"data: ]\ndata: }\n\n"]
    assert buffered(chunks) == [b'{\n"c": [\n{"d":4}\n]\n}']


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_an_event_is_passed_on_when_it_is_whole(end):
    body = stream(end)
    assert end_of_events(body) == len(body)
    assert end_of_events(body + b"data: {") == len(body)
    assert end_of_events(b"data: {" + end) == 0
    assert b"".join(whole_events(body + b"data: {")) == body + b"data: {"
    assert len(list(whole_events(body + b"data: {"))) == len(EVENTS) + 1


def test_an_event_too_large_to_hold_is_passed_on_and_the_next_one_is_read(monkeypatch):
    monkeypatch.setattr(event_stream, "MOST_EVENT", 100)
    said = b'data: {"choices":[{"index":0,"delta":{"content":"%b"}}]}\n\n'
    chunks = [said % b"before", b'data: {"choices":"', *[b"x" * 60] * 9, b'"}\n', b"\n" + said % b"after"]
    tail = ChatTail()
    assert b"".join([tail.feed(chunk) for chunk in chunks]) + tail.end() == b"".join(chunks)
    facts = tail.facts()
    assert facts.output_text == "beforeafter"
    assert facts.problem == "an event was too large to be read"


def test_of_an_event_of_many_lines_no_more_is_held_than_the_bound(monkeypatch):
    monkeypatch.setattr(event_stream, "MOST_EVENT", 1000)
    buffer = EventBuffer()
    for _ in range(1000):
        assert buffer.feed(b"data: 1,\ndata: 2,\n") == b""
        assert sum(map(len, buffer._partial)) <= 1018
    assert buffer.feed(b"\ndata: {}\n\n") == b"data: {}\n\n"
    assert buffer.skipped


def test_the_lines_of_a_large_block_are_the_same(monkeypatch):
    for end in (b"\n", b"\r\n", b"\r"):
        at_once = list(event_data(stream(end)))
        monkeypatch.setattr(event_stream, "_AT_ONCE", 10)
        assert list(event_data(stream(end))) == at_once == DATA
        monkeypatch.undo()


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_what_passes_is_all_that_came_and_never_half_an_event(size):
    body = stream(b"\n") + b"event: x\ndata: {"
    passing = PassingBuffer(1000)
    pieces = [passing.feed(body[at : at + size]) for at in range(0, len(body), size)]

    assert b"".join(pieces) == body.removesuffix(b"data: {")
    assert passing.end() == b"data: {"
    assert all(list(event_data(b"".join(pieces[:n]) + b"data: {}\n\n"))[-1] == b"{}" for n in range(len(pieces)))


def test_what_is_larger_than_the_bound_passes_as_it_comes():
    passing = PassingBuffer(100)

    assert passing.feed(b"data: " + b"x" * 60) == b""
    assert passing.feed(b"x" * 60) == b"data: " + b"x" * 120
    assert passing.feed(b"x\n\ndata: {}\n\n") == b"x\n\ndata: {}\n\n"


def test_of_a_stream_of_json_whole_lines_pass():
    passing = PassingBuffer(100, by_lines=True)

    assert [passing.feed(piece) for piece in (b"[{\n", b' "data', b'": 1\n}', b"]")] == [
        b"[{\n",
        b"",
        b' "data": 1\n',
        b"",
    ]
    assert passing.end() == b"}]"
