"""What a dialect says of tools that are answered here: their schemas, their calls in replies, and their results.

A reply that calls such a tool is a *hop*: what the model said is put behind the request, with the results, and it is
asked again. The caller gets one reply: that of the last hop, and before it what the model said in those before, without
any call of our tools. Thinking goes with what comes right behind it.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from modicum.calls.change import OwnTool
from modicum.providers.body_parsing import UNREADABLE
from modicum.providers.event_stream import event_data, whole_events
from modicum.providers.fields import mapping, text
from modicum.providers.prompt import TOOLS

_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])
_raws = msgspec.json.Decoder(list[msgspec.Raw])
_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.encode


class OwnCall(NamedTuple):
    """A call of a tool of ours."""

    call_id: str
    tool: str
    arguments: Mapping[str, Any]


class OwnResult(NamedTuple):
    call_id: str
    text: str


class Hop(NamedTuple):
    """What a reply wants."""

    calls: tuple[OwnCall, ...] = ()
    """Of our tools."""
    calls_others: bool = False
    """It calls tools of the caller too, so that the caller is next."""
    spoken: tuple[Any, ...] = ()
    """What the model said, as messages of the next request."""

    @property
    def goes_on(self) -> bool:
        """Whether the model is to be asked again before the caller gets its reply."""
        return bool(self.calls) and not self.calls_others


class HopStream(ABC):
    """Streams of one call, one after the other, as the one stream that its caller gets.

    Args:
        names: of our tools.
    """

    def __init__(self, names: frozenset[str]) -> None:
        self._names = names
        self._held: list[dict[str, Any]] = []
        """Events of thinking, until it is known what comes behind."""
        self._ending: list[bytes] = []
        """Events that end a reply: passed on only if it is the last one."""
        self.hops = 0
        """Streams before this one."""

    def feed(self, events: bytes) -> bytes:
        """What of these events the caller gets now."""
        passed: list[bytes] = []
        for raw in whole_events(events):
            data = next(event_data(raw), b"")
            try:
                document = _decode(data) if data[:1] == b"{" else None
            except UNREADABLE:
                document = None
            if isinstance(document, dict):
                passed += self.pass_event(raw, document)
            elif data:
                self._ending.append(raw)  # [DONE]
            else:
                passed.append(raw)
        return b"".join(passed)

    def end(self, *, is_last: bool) -> bytes:
        """What was held back, if the caller is next; nothing where another stream follows. `is_last`: none does,
        whatever this one wants.
        """
        goes_on = self.hop().goes_on and not is_last
        held = b"" if goes_on else b"".join([*self.release(), *self.end_events()])
        self._held, self._ending = [], []
        return held

    @abstractmethod
    def pass_event(self, raw: bytes, document: dict[str, Any]) -> list[bytes]:
        """What the caller gets for one event, in the place of it."""

    @abstractmethod
    def hop(self) -> Hop:
        """What the stream that has ended wants."""

    def begin_next(self) -> None:
        """Another stream follows."""
        self.hops += 1

    def hold(self, document: dict[str, Any]) -> list[bytes]:
        """Keeps an event of thinking back."""
        self._held.append(document)
        return []

    def drop_held(self) -> list[bytes]:
        """Thinking that led to a call of ours goes with it."""
        self._held = []
        return []

    def release(self) -> list[bytes]:
        """What was held of thinking: it belongs to what the caller gets."""
        held, self._held = self._held, []
        return [self.write(document) for document in held]

    @abstractmethod
    def write(self, document: dict[str, Any]) -> bytes:
        """An event as the caller gets it: with the numbers of the one stream that it sees."""

    def end_events(self) -> list[bytes]:
        """The events that end the caller's stream."""
        return self._ending


class CallHops:
    """The streams of one call on their way to its caller."""

    def __init__(self, stream: HopStream) -> None:
        self.stream = stream
        self.saw_stream = False

    def feed(self, events: bytes) -> bytes:
        """What of these events the caller gets now."""
        self.saw_stream = True
        return self.stream.feed(events)

    def end(self) -> bytes:
        """What was held back of the last stream."""
        return self.stream.end(is_last=True)

    def begin_next(self) -> None:
        """Another stream follows."""
        self.stream.end(is_last=False)
        self.stream.begin_next()
        self.saw_stream = False


class OwnToolShape(NamedTuple):
    """Of one dialect."""

    schema: Callable[[OwnTool], dict[str, Any]]
    """The tool as an entry of `tools`."""
    messages: str
    """The field in which the messages stand."""
    results: Callable[[Sequence[OwnResult]], list[dict[str, Any]]]
    """Results as messages of the next request."""
    read: Callable[[Mapping[str, Any], frozenset[str]], Hop]
    """What a whole reply wants."""
    joined: Callable[[dict[str, Any], Sequence[dict[str, Any]], frozenset[str]], dict[str, Any]]
    """The reply of the last hop with what was said in those before, and without calls of our tools."""
    stream: Callable[[frozenset[str]], HopStream]
    can_take: Callable[[Mapping[str, Any]], bool]
    """Whether a request's reply can be a hop, beside what is so in every dialect. Given the fields of the request that
    are no messages and no tools."""

    def with_tools(self, body: bytes, tools: Sequence[OwnTool]) -> bytes:
        """The request that offers these tools beside its own."""
        fields = _fields.decode(body)
        entries: list[Any] = _raws.decode(fields[TOOLS]) if bytes(fields.get(TOOLS, b"")).strip()[:1] == b"[" else []
        fields[TOOLS] = msgspec.Raw(_encode([*entries, *map(self.schema, tools)]))
        return _encode(fields)

    def with_found(self, body: bytes, whole: bytes, found: frozenset[str]) -> bytes:
        """The request with these tools again. All stand in the order of `whole`, the request as the caller wrote it,
        so that later requests begin alike.
        """
        fields, entries = _fields.decode(body), tools_in(whole)
        now = tools_in(body)
        names = {name for name, _ in now} | found
        own = [raw for name, raw in now if name not in {one for one, _ in entries}]
        fields[TOOLS] = msgspec.Raw(_encode([*(raw for name, raw in entries if name in names), *own]))
        return _encode(fields)

    def next_request(self, body: bytes, hop: Hop, results: Sequence[OwnResult]) -> bytes:
        """The request with what the model said behind it, and what its calls gave."""
        fields = _fields.decode(body)
        raw = bytes(fields[self.messages]).strip()
        items: list[Any] = _raws.decode(raw)
        fields[self.messages] = msgspec.Raw(_encode([*items, *hop.spoken, *self.results(results)]))
        return _encode(fields)

    def fits(self, body: bytes) -> bool:
        """Whether our tools may be offered in a request: its messages are a list, and nothing says that a certain tool
        must be called.
        """
        try:
            fields = _fields.decode(body)
            if bytes(fields.get(self.messages, b"")).strip()[:1] != b"[":
                return False
            plain = {name: _decode(raw) for name, raw in fields.items() if name not in {self.messages, TOOLS}}
        except UNREADABLE:
            return False
        choice = plain.get("tool_choice")
        kind = choice if isinstance(choice, str) else mapping(choice).get("type")
        return kind in {None, "auto"} and self.can_take(plain)


def tools_in(body: bytes) -> list[tuple[str, msgspec.Raw]]:
    """The entries of `tools` with their names, as a request writes them."""
    raw = bytes(_fields.decode(body).get(TOOLS, b"")).strip()
    if raw[:1] != b"[":
        return []
    found = []
    for entry in _raws.decode(raw):
        schema = mapping(_decode(entry))
        inner = mapping(schema.get("function")) or schema
        found.append((text(inner.get("name")) or text(inner.get("type")), entry))
    return found


def arguments_of(given: Any) -> Mapping[str, Any]:
    """Arguments that a model wrote, which may be no JSON: then there are none."""
    if isinstance(given, Mapping):
        return given
    try:
        return mapping(_decode(given)) if isinstance(given, str | bytes) and given else {}
    except UNREADABLE:
        return {}


def event(document: dict[str, Any], *, name: str = "") -> bytes:
    """A document as an event of a stream."""
    line = b"event: %b\n" % name.encode() if name else b""
    return line + b"data: %b\n\n" % _encode(document)
