"""Events out of a stream that is cut anywhere."""

import pytest

from modicum.providers import event_stream
from modicum.providers.facts import DialectError
from modicum.providers.translation.events import DONE, Events

STREAM = b'event: a\ndata: {"n":1}\n\n: a comment\n\ndata:{"n":2}\r\n\r\ndata: [DONE]\n\n'


@pytest.mark.parametrize("size", [1, 7, len(STREAM)])
def test_events_come_as_their_lines_become_whole(size):
    events = Events()
    chunks = [STREAM[place : place + size] for place in range(0, len(STREAM), size)]

    assert [event for chunk in chunks for event in events.feed(chunk)] == [{"n": 1}, {"n": 2}, DONE]
    assert list(events.end()) == []


def test_a_last_event_may_lack_its_line_end():
    events = Events()

    assert list(events.feed(b'data: {"n":1}')) == []
    assert list(events.end()) == [{"n": 1}]


def test_a_last_event_that_broke_off_is_none():
    events = Events()
    list(events.feed(b'data: {"n":'))

    assert list(events.end()) == []


@pytest.mark.parametrize(
    ("event", "why"), [(b"data: {oops}\n\n", "is not JSON"), (b"data: [1]\n\n", "is no JSON object")]
)
def test_data_that_is_no_object_is_an_error_of_the_upstream(event, why):
    with pytest.raises(DialectError, match=why) as refused:
        list(Events().feed(event))
    assert refused.value.status == 502


def test_an_event_of_several_lines_is_one_and_one_without_data_is_none():
    stream = b'\xef\xbb\xbfdata: {\rdata:   "n": 1\rdata: }\r\rdata:\r\rid: 3\rretry: 10\r\rdata: {"n":2}\r\r'

    assert list(Events().feed(stream)) == [{"n": 1}, {"n": 2}]


def test_an_event_that_is_too_large_is_an_error_of_the_upstream(monkeypatch):
    monkeypatch.setattr(event_stream, "MOST_EVENT", 100)

    with pytest.raises(DialectError, match="too large"):
        list(Events().feed(b'data: {"n":"' + b"x" * 200))
