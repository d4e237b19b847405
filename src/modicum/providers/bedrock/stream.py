"""Streams of Bedrock, watched: frames in, whole frames out, and what they hold read by the tail of a dialect."""

from collections.abc import Callable

import msgspec

from modicum.providers.bedrock.frames import Frame, FrameBuffer, read_frame
from modicum.providers.event_types.unknown_events import framed_event
from modicum.providers.facts import ReplyFacts
from modicum.providers.stream import EventTail

EventOf = Callable[[Frame], bytes]
"""The JSON document that a frame holds, as its tail reads it; empty: none."""


class FramedTail:
    """A tail (`facts.StreamTail`) that passes on whole frames, so that another can follow should the stream break off.

    Args:
        inner: reads the documents. Where it knows types of events, each document says its own (`type`). Its word for
            the model is left out: Bedrock's own id, in the path, says more.
    """

    def __init__(self, inner: EventTail, event_of: EventOf) -> None:
        self._inner, self._event_of = inner, event_of
        self._frames = FrameBuffer()
        self._problem = ""

    def feed(self, chunk: bytes) -> bytes:
        frames = self._frames.feed(chunk)
        for raw in frames:
            frame = None if self._frames.is_broken else read_frame(raw)
            if frame is None:
                self._problem = "a frame of the stream cannot be read"
            elif event := self._event_of(frame):
                known = self._inner.KNOWN_TYPES
                self._inner.feed(framed_event(event, known) if known else b"data: %b\n\n" % event)
        return frames[0] if len(frames) == 1 else b"".join(frames)

    def end(self) -> bytes:
        self._inner.end()
        return self._frames.end()

    def facts(self) -> ReplyFacts:
        facts = msgspec.structs.replace(self._inner.facts(), model="")
        if not self._problem:
            return facts
        return msgspec.structs.replace(facts, usage_final=False, problem=facts.problem or self._problem)
