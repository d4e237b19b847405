"""What is known of a request that repeats most of what came before it: units of which all but the text is known."""

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from itertools import accumulate
from typing import NamedTuple

import msgspec

from modicum.calls import SegmentKind
from modicum.calls.change import DoesNotFit
from modicum.calls.prompt import Unit, content_digest, tokens_by_length
from modicum.providers.body_parsing import block_list
from modicum.providers.fields import mapping
from modicum.providers.prompt import NO_LINKS, MessagePart, PromptShape, RequestPrompt
from modicum.providers.repeated.edited_beginnings import EditedBeginning
from modicum.providers.seen_requests import SeenMessage, SplitRequest

_NEAR = 4
"""Messages among which the call is that a result answers, nearly always."""

_decode = msgspec.json.Decoder().decode


class SeenPart:
    """What is known of a part of a message, for this request and for those that repeat it; no text."""

    __slots__ = ("block", "calls", "digest", "has_text", "is_error", "kind", "links", "name", "tokens", "tool")

    def __init__(self, part: MessagePart, raw: bytes) -> None:
        self.kind, self.name, self.block, self.is_error = part.kind, part.name, part.block, part.is_error
        self.calls = tuple((call, tool) for call, tool, _ in part.calls if call)
        called = {tool for _, tool, _ in part.calls}
        self.links = frozenset(call for call, _ in self.calls) | ({part.answers} if part.answers else NO_LINKS)
        self.tool = called.pop() if len(called) == 1 else ""
        self.has_text = part.text is not None
        self.tokens = tokens_by_length(raw if part.text is None else part.text)
        self.digest = b""


class SeenParts(NamedTuple):
    """What a message is made of."""

    parts: tuple[SeenPart, ...]
    tokens: int
    results: tuple[tuple[int, int, SeenPart], ...]
    """What tools returned: number among the parts, tokens of the parts in front, the part."""


def seen_parts(parts: Sequence[SeenPart]) -> SeenParts:
    before = [0, *accumulate(part.tokens for part in parts)]
    results = [
        (offset, before[offset], part) for offset, part in enumerate(parts) if part.kind is SegmentKind.TOOL_RESULT
    ]
    return SeenParts(tuple(parts), before[-1], tuple(results))


class CalledTools:
    """Tools by the ids of the calls that the messages of a request have made so far. Most results answer the message in
    front of them: all messages are only looked at where one does not.

    Args:
        parts: of the messages so far.
    """

    def __init__(self, parts: Sequence[SeenParts]) -> None:
        self._before, self._tools = parts[:-_NEAR], dict[str, str]()
        self._far: dict[str, str] | None = None
        for message in parts[-_NEAR:]:
            self.add(message)

    def add(self, message: SeenParts) -> None:
        """Another message."""
        for part in message.parts:
            self._tools.update(part.calls)

    def add_calls(self, calls: Iterable[tuple[str, str]]) -> None:
        """Calls of another message: id and tool."""
        self._tools.update(calls)

    def find(self, call: str) -> str:
        """The tool of a call; empty: there was no such call."""
        tool = self._tools.get(call)
        if tool is not None:
            return tool
        if self._far is None:
            self._far = {call: tool for message in self._before for part in message.parts for call, tool in part.calls}
        return self._far.get(call, "")


class SeenRequest(RequestPrompt):
    """A request that was split: the texts of its units, read when somebody asks, and the prompt as if nothing of it was
    known.
    """

    def __init__(self, shape: PromptShape, split: SplitRequest) -> None:
        super().__init__(split.body, shape)
        self._fields, self._split = split.fields, split
        self._decoded: dict[int, list[MessagePart]] = {}

    @property
    def has_pairs(self) -> bool:
        """Whether some messages may not stand without another."""
        return self._shape.pairs is not None

    @cached_property
    def own_head(self) -> Sequence[Unit]:
        """The units in front of the conversation."""
        return [head.unit(place) for place, head in enumerate(self._head())]

    def seen_head(self) -> Sequence["SeenHead"]:
        """What there is to know of these."""
        return [SeenHead(unit) for unit in self.own_head]

    def text_of(self, number: int, block: int | None) -> str | None:
        """The text of a part of a message."""
        return next((part.text for part in self.parts_of(number) if part.block == block), None)

    def raw_of(self, number: int, block: int | None) -> msgspec.Raw:
        """A part as the request writes it."""
        raw: msgspec.Raw = self._split[number]
        return raw if block is None else block_list(raw, self._shape.blocks)[block]

    def parts_of(self, number: int) -> Sequence[MessagePart]:
        """What a message is made of."""
        if number not in self._decoded:
            self._decoded[number] = list(self._shape.parts(mapping(_decode(self._split[number]))))
        return self._decoded[number]

    def seen_parts(self, number: int, called: "CalledTools") -> "SeenParts":
        """What there is to know of that. `called` are the tools that were called before; it grows."""
        parts = []
        for part in self.parts_of(number):
            raw = bytes(self.raw_of(number, part.block)) if part.text is None else b""
            own = SeenPart(part, raw)
            called.add_calls(own.calls)
            if not part.calls and part.answers:
                own.tool = called.find(part.answers)
            parts.append(own)
        return seen_parts(parts)

    def rewritten(self, number: int, message: SeenMessage, texts: Mapping[int | None, str]) -> bytes:
        """A message with other texts.

        Raises:
            DoesNotFit: one of them stands for more than a text.
        """
        parts: Sequence[SeenPart] = () if message.parts is None else message.parts.parts
        if any(part.block in texts and not part.has_text for part in parts):
            raise DoesNotFit("what is more than text cannot be another text")
        blocks = [(part.block, texts.get(part.block)) for part in parts]
        return bytes(self._with_parts(self._shape.messages, self.raw_of(number, None), blocks))


class RepeatedUnit(Unit):
    """A unit of which all but the text is known.

    Attributes:
        number: of its message.
    """

    __slots__ = ("_part", "_reader", "_text", "number")

    def __init__(self, place: int, part: SeenPart, reader: "SeenRequest", number: int) -> None:
        self.place, self.kind, self.tool, self.name = place, part.kind, part.tool, part.name
        self.is_error = part.is_error
        self._part, self._reader, self.number = part, reader, number
        self._text: str | None = None

    @property
    def text(self) -> str | None:
        if self._text is None and self._part.has_text:
            self._text = self._reader.text_of(self.number, self._part.block)
        return self._text

    @property
    def links(self) -> frozenset[str]:
        if self._reader.has_pairs:  # which messages belong together nobody remembers
            return self._reader.units[self.place].links
        return self._part.links

    @property
    def has_text(self) -> bool:
        """Whether there is a text to read."""
        return self._part.has_text

    @property
    def block(self) -> int | None:
        """Its number in its message; None: it is all of the message."""
        return self._part.block

    @property
    def tokens(self) -> int:
        return self._part.tokens

    @property
    def digest(self) -> bytes:
        if not self._part.digest:
            text = self.text
            raw = bytes(self._reader.raw_of(self.number, self._part.block)) if text is None else b""
            self._part.digest = content_digest(raw if text is None else text)
        return self._part.digest

    @property
    def detail(self) -> bytes:
        return self._reader.units[self.place].detail


class SeenHead:
    """What is known of a tool's schema or of the instructions; no text."""

    __slots__ = ("digest", "kind", "tokens", "tool")

    def __init__(self, unit: Unit) -> None:
        self.kind, self.tool, self.tokens, self.digest = unit.kind, unit.tool, unit.tokens, unit.digest


class HeadUnit(Unit):
    """A unit in front of the conversation, of which all but the text is known."""

    __slots__ = ("_reader", "_seen")

    def __init__(self, place: int, seen: SeenHead, reader: "SeenRequest") -> None:
        super().__init__(place, seen.kind, tool=seen.tool, links=NO_LINKS)
        self._seen, self._reader = seen, reader

    @property
    def text(self) -> str | None:
        return self._reader.own_head[self.place].text

    @property
    def tokens(self) -> int:
        return self._seen.tokens

    @property
    def digest(self) -> bytes:
        return self._seen.digest

    @property
    def detail(self) -> bytes:
        return b""


class UnitIndex:
    """Which units a request has. Those that rules for content look at, what tools returned, are made at once; all
    others when somebody asks. Of a beginning of which it is known what rules made of it none is made.

    Attributes:
        first: the message that comes first behind that beginning.
        count: of all units.
        results: what tools returned behind it, by place.
        tokens_before: tokens of all that stands in front of each of these.
    """

    def __init__(
        self,
        reader: "SeenRequest",
        head: Sequence[SeenHead],
        messages: Sequence[SeenMessage],
        beginning: EditedBeginning | None = None,
    ) -> None:
        self._reader, self._head, self._messages, self._beginning = reader, head, messages, beginning
        self.results: dict[int, RepeatedUnit] = {}
        self.tokens_before: dict[int, int] = {}
        self.first = 0 if beginning is None else beginning.messages
        place, tokens = self.start
        for number in range(self.first, len(messages)):
            known: SeenParts = messages[number].parts
            for offset, before, part in known.results:
                at = place + offset
                self.results[at] = RepeatedUnit(at, part, reader, number)
                self.tokens_before[at] = tokens + before
            place += len(known.parts)
            tokens += known.tokens
        self.count = place

    @property
    def seen_head(self) -> Sequence[SeenHead]:
        """What is known of the units in front of the conversation."""
        return self._head

    @property
    def start(self) -> tuple[int, int]:
        """Units and tokens in front of its first message."""
        if self._beginning is not None:
            return self._beginning.units, self._beginning.tokens
        return len(self._head), sum([one.tokens for one in self._head])

    @cached_property
    def head(self) -> Sequence[HeadUnit]:
        """The units in front of the conversation."""
        return [HeadUnit(place, seen, self._reader) for place, seen in enumerate(self._head)]

    def all_units(self) -> list[Unit]:
        """All units, in their order; behind a known beginning, those that come there."""
        units: list[Unit] = [] if self._beginning is not None else list(self.head)
        place, _ = self.start
        for number in range(self.first, len(self._messages)):
            for part in self._messages[number].parts.parts:
                units.append(self.results.get(place) or RepeatedUnit(place, part, self._reader, number))
                place += 1
        return units
