"""Streams, watched as they go by: cut anywhere, passed on unchanged, and decoded only where a line can hold a fact.

Server-sent events as providers send them: lines, ended by \\n or \\r\\n; those that begin with `data:` hold one JSON
document each (https://html.spec.whatwg.org/multipage/server-sent-events.html). A line is looked at when it is whole.
What the model said is decoded only when somebody asks for an estimate, or when much has gathered.
"""

import re
from collections.abc import Mapping
from typing import Any, ClassVar

import msgspec

from modicum.calls import NO_CHARGES, Tier, Usage
from modicum.providers.body_parsing import UNREADABLE
from modicum.providers.facts import MOST_OUTPUT_TEXT, ReplyFacts
from modicum.providers.json_values import mended
from modicum.providers.line_buffer import LineBuffer

MOST_UNREAD = 32 * 1024
"""Bytes of content that gather before they are decoded, for the case that the stream ends without usage."""

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
    """What the dialects' tails have in common. A dialect says which lines to read, and what they tell."""

    WORTH_READING: ClassVar[re.Pattern[bytes]]
    """A line in which it finds nothing holds content only. It runs over every chunk: one pattern that begins with a
    literal (the quote before a key) takes a quarter of the time of several."""

    def __init__(self) -> None:
        self._whole = LineBuffer()
        self._unread: list[bytes] = []
        self._unread_size = 0
        self._text: list[str] = []
        self._text_size = 0
        self._kept_size = 0
        self._begun = False
        self.reply_id = ""
        self.model = ""
        self.usage: Usage | None = None
        self.usage_final = False
        self.tier = Tier.STANDARD
        self.charges = NO_CHARGES
        self.finish_reason = ""
        self.complete = False
        self.error_kind = ""
        self.problem = ""
        self.usage_problem = ""

    def on_event(self, event: Mapping[str, Any]) -> None:
        """Takes the facts of an event whose line was worth reading (or was the first one)."""
        raise NotImplementedError

    def generated_text(self, event: Mapping[str, Any]) -> str:
        """What the model said in an event, for an estimate."""
        raise NotImplementedError

    def feed(self, chunk: bytes) -> bytes:
        """The chunk; its lines are read on the way."""
        if lines := self._whole.feed(chunk):
            self._lines(lines)
        return chunk

    def end(self) -> bytes:
        """Nothing: nothing was held back. What came last without a line end is read."""
        if last := self._whole.end():
            self._lines(last)
        if self._whole.skipped:
            self.problem = "an event was too large to be read"
        return b""

    def facts(self) -> ReplyFacts:
        final = self.usage is not None and self.usage_final
        if not final:
            self._read_content()
        return ReplyFacts(
            reply_id=self.reply_id,
            model=self.model,
            usage=self.usage,
            usage_final=final,
            tier=self.tier,
            charges=self.charges,
            finish_reason=self.finish_reason,
            complete=self.complete,
            error_kind=self.error_kind,
            output_text="" if final else "".join(self._text),
            output_chars=0 if final else self._text_size,
            problem=self.problem or ("" if self.usage else self.usage_problem),
        )

    # Facts out of lines.

    def _lines(self, block: bytes) -> None:
        if self._worth_reading(block):
            for line in block.splitlines():
                self._line(line)
        else:
            self._hold(block)

    def _worth_reading(self, lines: bytes) -> bool:
        return not self._begun or self.WORTH_READING.search(lines) is not None or b"[DONE]" in lines

    def _line(self, line: bytes) -> None:
        if not line.startswith(b"data:"):
            return
        if self._worth_reading(line):
            self._data(line[5:].strip())
        self._hold(line + b"\n")

    def _data(self, data: bytes) -> None:
        if data == b"[DONE]":
            self.on_done()
            return
        event = _event(data)
        if event is None:
            self.problem = "a line of the stream is not JSON"
        else:
            self._begun = True
            self.on_event(event)

    def on_done(self) -> None:
        """Takes note of `[DONE]`, with which chat streams end."""

    # What was said, for an estimate.

    def _hold(self, block: bytes) -> None:
        self._unread.append(block)
        self._unread_size += len(block)
        if self._unread_size > MOST_UNREAD:
            self._read_content()

    def _read_content(self) -> None:
        held = b"".join(self._unread)
        self._unread.clear()
        self._unread_size = 0
        for line in held.splitlines():
            if line.startswith(b"data:") and not line.endswith(b"[DONE]"):
                event = _event(line[5:])
                if event is not None:
                    self._keep(self.generated_text(event))

    def _keep(self, made: str) -> None:
        self._text_size += len(made)
        if made and self._kept_size < MOST_OUTPUT_TEXT:
            self._text.append(made[: MOST_OUTPUT_TEXT - self._kept_size])
            self._kept_size += len(self._text[-1])


class SilentTail(EventTail):
    """For APIs that have no streams: passes everything on, knows nothing."""

    WORTH_READING: ClassVar = re.compile(rb"data:")

    def on_event(self, event: Mapping[str, Any]) -> None:
        """Knows nothing."""

    def generated_text(self, event: Mapping[str, Any]) -> str:  # noqa: ARG002 - nothing is known of any event
        return ""
