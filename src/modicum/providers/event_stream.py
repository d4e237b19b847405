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


def end_of_events(raw: bytes, searched: int = 0) -> int:
    """Up to where there are whole events; 0: none is whole. In the first `searched` bytes there was no end."""
    if raw.endswith((b"\n\n", b"\r\n\r\n")):
        return len(raw)
    start = max(searched - _WINDOW, 0)
    if usual := max(_after(raw, b"\n\n", start), _after(raw, b"\r\n\r\n", start)):
        return usual
    last = 0
    for found in _END.finditer(raw, start):
        last = found.end()
    return last


def _after(raw: bytes, end: bytes, start: int) -> int:
    at = raw.rfind(end, start)
    return 0 if at < 0 else at + len(end)


def end_of_passable(raw: bytes, searched: int = 0) -> int:
    """Up to where bytes of a stream may go on, so that another event can follow should it break off: no line of data
    without the end of its event. In the first `searched` bytes nothing was whole.
    """
    cut = end_of_events(raw, searched)
    if cut == len(raw):
        return cut
    begun = _DATA_LINE.search(raw, cut)
    return begun.start() if begun else max(raw.rfind(b"\n"), raw.rfind(b"\r"), cut - 1) + 1


def whole_events(raw: bytes) -> Iterator[bytes]:
    """Raw events one by one, empty lines included; the last may lack its end."""
    start = 0
    for found in _END.finditer(raw):
        yield raw[start : found.end()]
        start = found.end()
    if start < len(raw):
        yield raw[start:]


def event_data(events: bytes) -> Iterator[bytes]:
    """The data of each event. What stands at the end without an empty line counts as one too."""
    pending = bytearray()
    for line in _lines(events):
        if line.startswith(b"data:"):
            value = line[5:].strip()
            if pending and (_DONE in {value, bytes(pending[:7])} or (value[:1] == b"{" and pending.endswith(b"}"))):
                yield bytes(pending)
                pending.clear()
            if pending and value:
                pending += b"\n"
            pending += value
        elif not line and pending:
            yield bytes(pending)
            pending.clear()
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
