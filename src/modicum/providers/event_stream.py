"""Server-sent events, joined before anybody decodes them (https://html.spec.whatwg.org/multipage/server-sent-events.html).

An event ends with an empty line. The values of its `data` lines are joined with newlines, so that one JSON document may
stand on several lines. Lines end with CR, LF or both; a byte order mark may come first; comments and the fields
`event`, `id` and `retry` tell nothing that the documents do not.

Some servers leave out the empty line. What cannot be one JSON document is then more than one event: an object does not
go on after `}` with `{` on the next line, and nothing goes on with `[DONE]`.
"""

import re
from collections.abc import Iterator

import msgspec

MOST_EVENT = 32 * 1024 * 1024
"""Bytes of one event that are held until it is whole. A longer one is skipped."""

BOM = b"\xef\xbb\xbf"
_DONE = b"[DONE]"
_AT_ONCE = 1 << 20
_WINDOW = 64
"""Bytes before a chunk in which the end of an event may begin."""

_END = re.compile(
    rb"(?>\r\n|\n|\r){2}"  # the empty line
    rb"|\}[ \t]*(?>\r\n|\n|\r)(?=data:[ \t]*(?:\{|\[DONE\]))"
    rb"|(?:^|(?<=[\r\n]))data:[ \t]*\[DONE\][ \t]*(?>\r\n|\n|\r){1,2}"
)
_DATA_LINE = re.compile(rb"(?:^|(?<=[\r\n]))data(?=:|$)")
_object = msgspec.json.Decoder(dict[str, msgspec.Raw])
_LINE = re.compile(rb"[^\r\n]*(?>\r\n|\n|\r)|[^\r\n]+")


def end_of_events(raw: bytes) -> int:
    """Up to where there are whole events; 0: none is whole."""
    if raw.endswith((b"\n\n", b"\r\n\r\n")):
        return len(raw)
    if usual := max(_after(raw, b"\n\n"), _after(raw, b"\r\n\r\n")):
        return usual
    last = 0
    for found in _END.finditer(raw):
        last = found.end()
    return last


def _after(raw: bytes, end: bytes) -> int:
    at = raw.rfind(end)
    return 0 if at < 0 else at + len(end)


def end_of_passable(raw: bytes) -> int:
    """Up to where bytes of a stream may go on, so that another event can follow should it break off: no line of data
    without the end of its event.
    """
    cut = end_of_events(raw)
    if cut == len(raw):
        return cut
    begun = _DATA_LINE.search(raw, cut)
    return begun.start() if begun else max(raw.rfind(b"\n"), raw.rfind(b"\r"), cut - 1) + 1


def whole_events(raw: bytes) -> Iterator[bytes]:
    """Raw events one by one, empty lines included; the last may lack its end."""
    start = 0
    for end in _ends(raw):
        yield raw[start:end]
        start = end
    if start < len(raw):
        yield raw[start:]


def _ends(raw: bytes) -> Iterator[int]:
    """Where events end. Most servers put an empty line before every line of data, and no CR: then that is found ten
    times as fast as by the pattern.
    """
    if b"\r" in raw or raw.count(b"\ndata:") != raw.count(b"\n\ndata:"):
        yield from (found.end() for found in _END.finditer(raw))
        return
    end = raw.find(b"\n\n") + 2
    while end > 1:
        yield end
        end = raw.find(b"\n\n", end) + 2


def event_data(events: bytes) -> Iterator[bytes]:
    """The data of each event. What stands at the end without an empty line counts as one too."""
    if events.startswith(b"data:") and b"\r" not in events and b"\n" not in events.replace(b"\n\n", b""):
        # A line each, as most servers write them.
        yield from filter(None, (event[5:].strip() for event in events.split(b"\n\n") if event.startswith(b"data:")))
    else:
        yield from _joined_data(events)


def _joined_data(events: bytes) -> Iterator[bytes]:
    """The same of events that may have several lines each."""
    pending: bytes | bytearray = b""
    for line in _lines(events):
        if line.startswith(b"data:"):
            value = line[5:].strip()
            if not pending:
                pending = value
            elif value and (_DONE in {value, bytes(pending[:7])} or (value[:1] == b"{" and pending.endswith(b"}"))):
                yield bytes(pending)
                pending = value
            elif value:
                pending = pending if isinstance(pending, bytearray) else bytearray(pending)
                pending += b"\n"
                pending += value
        elif not line and pending:
            yield bytes(pending)
            pending = b""
    if pending:
        yield bytes(pending)


def stream_data(stream: bytes) -> Iterator[bytes]:
    """The data of each event of a whole stream."""
    return event_data(stream.removeprefix(BOM))


def _lines(block: bytes) -> Iterator[bytes]:
    """Without their ends. Of a large block never all at once: it may consist of millions."""
    if len(block) <= _AT_ONCE:
        yield from block.splitlines()
    else:
        for found in _LINE.finditer(block):
            yield found[0].rstrip(b"\r\n")


class EventBuffer:
    """Whole events out of chunks that were cut anywhere."""

    def __init__(self) -> None:
        self._partial: list[bytes] = []
        self._partial_size = 0
        self._edge = b""
        """The last bytes of what waits."""
        self._at_start = True
        self._skipping = False
        self.skipped = False
        """Whether an event was too large to be held."""

    def feed(self, chunk: bytes) -> bytes:
        """The events that this chunk makes whole, as they came; empty if there is none."""
        if self._at_start:
            chunk = self._without_mark(chunk)
        if not self._edge and chunk.endswith((b"\n\n", b"\r\n\r\n")):
            return chunk  # as most servers send them
        window = self._edge + chunk
        cut = end_of_events(window)
        if not cut and not self._is_one_document(chunk):
            self._wait(chunk)
            return b""
        cut = cut or len(window)
        rest = window[cut:]
        if self._skipping:
            whole = _after_first_event(window)[: cut - len(window) or None]
            self._skipping = False
        else:
            whole = b"".join((*self._partial, chunk))
            whole = whole[: len(whole) - len(rest)]
        self._clear()
        if rest:
            self._wait(rest)
        return whole

    def end(self) -> bytes:
        """What came last without an empty line."""
        partial = b"" if self._skipping else b"".join(self._partial)
        self._clear()
        return partial

    def _without_mark(self, chunk: bytes) -> bytes:
        start = b"".join((*self._partial, chunk))
        if len(start) < len(BOM) and BOM.startswith(start):
            return chunk
        self._at_start = False
        self._clear()
        return start.removeprefix(BOM)

    def _is_one_document(self, chunk: bytes) -> bool:
        """Whether what waits has one line of data, the last, and it holds a JSON object: such an event is whole before
        the empty line comes, which some servers send later, and some never.
        """
        if self._skipping or self._partial_size > _AT_ONCE or not chunk.endswith((b"}\n", b"}\r\n", b"}\r")):
            return False
        *before, last = b"".join((*self._partial, chunk)).splitlines()
        if any(line.startswith(b"data:") for line in before):
            return False
        try:
            return bool(_object.decode(last.removeprefix(b"data:")))
        except (ValueError, RecursionError):
            return False

    def _wait(self, rest: bytes) -> None:
        self._edge = (self._edge + rest)[-_WINDOW:]
        if self._skipping:
            return
        self._partial.append(rest)
        self._partial_size += len(rest)
        if self._partial_size > MOST_EVENT:
            self._partial.clear()
            self._partial_size = 0
            self._skipping = self.skipped = True

    def _clear(self) -> None:
        self._partial.clear()
        self._partial_size = 0
        self._edge = b""


def _after_first_event(raw: bytes) -> bytes:
    found = _END.search(raw)
    return raw[found.end() :] if found else b""


class PassingBuffer:
    """Bytes of a stream that are passed on as soon as another event could follow them.

    Args:
        most_bytes: of an event, or of a line, that wait for its end; then they are passed on as they come.
        by_lines: the stream is JSON and no events: whole lines are passed on.
    """

    def __init__(self, most_bytes: int, *, by_lines: bool = False) -> None:
        self._most_bytes, self._by_lines = most_bytes, by_lines
        self._waiting: list[bytes] = []
        self._waiting_bytes = 0
        self._edge = b""

    def feed(self, chunk: bytes) -> bytes:
        """What can be passed on now."""
        if not self._waiting and not self._by_lines and chunk.endswith((b"\n\n", b"\r\n\r\n")):
            return chunk  # as most servers send them
        if self._waiting and not self._may_end(chunk):
            self._wait(chunk)
            return self.end() if self._waiting_bytes > self._most_bytes else b""
        raw = b"".join((*self._waiting, chunk)) if self._waiting else chunk
        cut = raw.rfind(b"\n") + 1 if self._by_lines else end_of_passable(raw)
        if not cut and len(raw) > self._most_bytes:
            cut = len(raw)
        self._clear()
        if cut < len(raw):
            self._wait(raw[cut:])
        return raw[:cut]

    def end(self) -> bytes:
        """What still waits."""
        rest = b"".join(self._waiting)
        self._clear()
        return rest

    def _may_end(self, chunk: bytes) -> bool:
        """Whether it is worth looking at all that waits: it is not for every chunk of a large event."""
        if self._by_lines or not self._waiting[0].startswith(b"data"):
            return b"\n" in chunk or b"\r" in chunk
        return end_of_events(self._edge + chunk) > 0

    def _wait(self, rest: bytes) -> None:
        self._waiting.append(rest)
        self._waiting_bytes += len(rest)
        self._edge = (self._edge + rest)[-_WINDOW:]

    def _clear(self) -> None:
        self._waiting.clear()
        self._waiting_bytes = 0
        self._edge = b""
