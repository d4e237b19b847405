"""Streams, watched as they go by: cut anywhere, passed on unchanged, and decoded only where an event can hold a fact.

An event is looked at when it is whole (`event_stream.py`); its data is one JSON document. What the model said is
decoded only when somebody asks for an estimate, or when much has gathered.
"""

import re
from collections.abc import Mapping
from typing import Any, ClassVar

import msgspec

from modicum.calls import NO_CHARGES, Tier, Usage
from modicum.providers.body_parsing import UNREADABLE
from modicum.providers.event_stream import EventBuffer, event_data
from modicum.providers.event_types.unknown_events import UnknownEvents
from modicum.providers.facts import MOST_OUTPUT_TEXT, ReplyFacts
from modicum.providers.json_values import mended

MOST_UNREAD = 32 * 1024
"""Bytes of content that gather before they are decoded, for the case that the stream ends without usage."""

GAP = rb"\s*(?:data:\s*)*"
"""Between two tokens of a document that may stand on several `data` lines."""

_decode = msgspec.json.Decoder().decode


def _event(data: bytes) -> Mapping[str, Any] | None:
    try:
        event = _decode(data)
    except UNREADABLE:
        try:
            event = _decode(mended(data))
        except UNREADABLE:
            return None
    return event if isinstance(event, Mapping) else None


class EventTail:
    """What the dialects' tails have in common. A dialect says which events to read, and what they tell."""

    WORTH_READING: ClassVar[re.Pattern[bytes]]
    """An event in which it finds nothing holds content only. It runs over every chunk: one pattern that begins with a
    literal (the quote before a key) takes a quarter of the time of several. `GAP` stands where a document may be broken
    into lines."""
    STRANGER: ClassVar[re.Pattern[bytes] | None] = None
    """Finds an event of a type that nobody here knows (`unknown_events.stranger`); None: its events have no types."""
    KNOWN_TYPES: ClassVar[frozenset[str]] = frozenset()
    """The types that are known."""

    def __init__(self) -> None:
        self._whole = EventBuffer()
        self._unread: list[bytes] = []
        self._unread_size = 0
        self._looked = 0
        """How many of them were looked through for events of unknown types: many at once cost a tenth."""
        self._text: list[str] = []
        self._text_size = 0
        self._kept_size = 0
        self._begun = False
        self._unknown: UnknownEvents | None = None
        self.reply_id = ""
        self.model = ""
        self.usage: Usage | None = None
        self.usage_final = False
        self.tier = Tier.STANDARD
        self.charges = NO_CHARGES
        self.finish_reason = ""
        self.complete = False
        self.pending = self.background = False
        self.created_s = 0.0
        self.error_kind = ""
        self.problem = ""
        self.usage_problem = ""

    def on_event(self, event: Mapping[str, Any]) -> None:
        """Takes the facts of an event that was worth reading (or was the first one)."""
        raise NotImplementedError

    def generated_text(self, event: Mapping[str, Any]) -> str:
        """What the model said in an event, for an estimate."""
        raise NotImplementedError

    def feed(self, chunk: bytes) -> bytes:
        """The chunk; its events are read on the way."""
        if events := self._whole.feed(chunk):
            self._read(events)
        return chunk

    def end(self) -> bytes:
        """Nothing: nothing was held back. What came last without an empty line is read."""
        if last := self._whole.end():
            self._read(last)
        if self._whole.skipped:
            self.problem = "an event was too large to be read"
        return b""

    def facts(self) -> ReplyFacts:
        final = self.usage is not None and self.usage_final
        self._look_for_strangers()
        if not final:
            self._read_content()
        numbers = () if self._unknown is None else self._unknown.numbers
        return ReplyFacts(
            reply_id=self.reply_id,
            model=self.model,
            usage=self.usage,
            usage_final=final,
            tier=self.tier,
            charges=self.charges.with_caveats(*numbers) if numbers else self.charges,
            is_doubted=bool(numbers),
            finish_reason=self.finish_reason,
            complete=self.complete,
            pending=self.pending,
            background=self.background,
            created_s=self.created_s,
            error_kind=self.error_kind,
            output_text="" if final else "".join(self._text),
            output_chars=0 if final else self._text_size,
            problem=self.problem or ("" if self.usage else self.usage_problem),
            unknown_events={} if self._unknown is None else self._unknown.counts,
        )

    # Facts out of events.

    def _read(self, events: bytes) -> None:
        if self._worth_reading(events):
            for data in event_data(events):
                if self._worth_reading(data):
                    self._data(data)
        self._hold(events)

    def _worth_reading(self, events: bytes) -> bool:
        return not self._begun or self.WORTH_READING.search(events) is not None or b"[DONE]" in events

    def _data(self, data: bytes) -> None:
        if data == b"[DONE]":
            self.on_done()
            return
        event = _event(data)
        if event is None:
            self.problem = "an event of the stream is not JSON"
        else:
            self._begun = True
            self.on_event(event)

    def on_done(self) -> None:
        """Takes note of `[DONE]`, with which chat streams end."""

    # What was said, for an estimate.

    def _hold(self, events: bytes) -> None:
        self._unread.append(events)
        self._unread_size += len(events)
        if self._unread_size > MOST_UNREAD:
            self._read_content()

    def _read_content(self) -> None:
        self._look_for_strangers()
        held = b"".join(self._unread)
        self._unread.clear()
        self._unread_size = self._looked = 0
        for data in event_data(held):
            if data != b"[DONE]":
                event = _event(data)
                if event is not None:
                    self._keep(self.generated_text(event))

    def _look_for_strangers(self) -> None:
        if self.STRANGER is None:
            return
        events = b"".join(self._unread[self._looked :])
        self._looked = len(self._unread)
        if self.STRANGER.search(events) is not None:
            if self._unknown is None:
                self._unknown = UnknownEvents(self.STRANGER, self.KNOWN_TYPES)
            self._unknown.take(events)

    def _keep(self, made: str) -> None:
        self._text_size += len(made)
        if made and self._kept_size < MOST_OUTPUT_TEXT:
            self._text.append(made[: MOST_OUTPUT_TEXT - self._kept_size])
            self._kept_size += len(self._text[-1])


class SilentTail(EventTail):
    """For APIs that have no streams: passes everything on, knows nothing."""

    WORTH_READING: ClassVar = re.compile(rb"data:")

    def on_event(self, event: Mapping[str, Any]) -> None:
        """Takes nothing from the event: the API has no streams, so nothing in one can be trusted."""

    def generated_text(self, event: Mapping[str, Any]) -> str:  # noqa: ARG002 - nothing is known of any event
        return ""
