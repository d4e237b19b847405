"""Streams of the mock provider, ended at each of their events, as official clients read them."""

import httpx2
import msgspec

from modicum.providers.dialects import DIALECTS
from modicum.providers.event_stream import whole_events
from modicum.providers.mock.options import MockOptions
from modicum.providers.mock.provider import MockProvider
from providers.mock_rig import CREATED

VERTEX = "/v1/projects/p/locations/global/publishers/anthropic/models"
PATHS = {
    "gemini-generate": "/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse",
    "vertex-claude": f"{VERTEX}/claude-sonnet-4-6:streamRawPredict",
}
WORDS = MockOptions(output_tokens=6, chunks=3, fault="over_bound")


def streamed(name, request, wanted=WORDS):
    """The events of a reply."""
    body, path = msgspec.json.encode(request), PATHS.get(name, "/x")
    answer = MockProvider().answer(DIALECTS[name], body, path, wanted, CREATED)
    assert answer.status == 200
    return list(whole_events(b"".join(answer.parts)))


def cuts_of(name, events):
    """The stream as it is when it is ended after each of its events, and what passed of it until then."""
    for count in range(1, len(events)):
        cut = DIALECTS[name].stream_cut()
        passed = b"".join(map(cut.feed, events[:count]))
        yield passed + cut.cut(5), passed


def whole_of(name, events):
    """The stream after it passed to its own end."""
    cut = DIALECTS[name].stream_cut()
    return b"".join(map(cut.feed, events))


def transport(stream):
    """A client's transport that gets this stream."""
    head = {"content-type": "text/event-stream"}
    answer = httpx2.Response(200, content=stream, headers=head)
    return httpx2.Client(transport=httpx2.MockTransport(lambda _request: answer))
