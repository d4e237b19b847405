"""Events out of a stream that is cut anywhere."""

import pytest

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
    ("line", "why"), [(b"data: {oops}\n", "is not JSON"), (b"data: [1]\n", "is no JSON object"), (b"data:\n", "JSON")]
)
def test_data_that_is_no_object_is_an_error_of_the_upstream(line, why):
    with pytest.raises(DialectError, match=why) as refused:
        list(Events().feed(line))
    assert refused.value.status == 502
