"""The prompt of a request that repeats most of what came before it: only what is new is read."""

import hashlib
from collections.abc import Mapping, Sequence
from functools import cached_property
from itertools import accumulate
from typing import NamedTuple, Self

import msgspec

from modicum.calls import SegmentKind
from modicum.calls.change import NO_CHANGE, Change, DoesNotFit
from modicum.calls.prompt import RewrittenUnit, Unit, content_digest, tokens_by_length
from modicum.providers.body_parsing import UNREADABLE, block_list
from modicum.providers.fields import mapping
from modicum.providers.prompt import (
    NO_LINKS,
    TOOLS,
    HeadPart,
    MessagePart,
    PromptShape,
    RequestPrompt,
)
from modicum.providers.seen_requests import SeenMessage, SeenRequests, SplitRequest

_decode = msgspec.json.Decoder().decode


class _SeenPart:
    """What is known of a part of a message, for this request and for those that repeat it; no text."""

    __slots__ = ("block", "calls", "digest", "has_text", "is_error", "kind", "links", "name", "tokens", "tool")

    def __init__(self, part: MessagePart, raw: bytes, tools: Mapping[str, str]) -> None:
        self.kind, self.name, self.block, self.is_error = part.kind, part.name, part.block, part.is_error
        self.calls = tuple((call, tool) for call, tool, _ in part.calls if call)
        called = {tool for _, tool, _ in part.calls}
        if not called and part.answers in tools:
            called = {tools[part.answers]}
        self.links = frozenset(call for call, _ in self.calls) | ({part.answers} if part.answers else NO_LINKS)
        self.tool = called.pop() if len(called) == 1 else ""
        self.has_text = part.text is not None
        self.tokens = tokens_by_length(raw if part.text is None else part.text)
        self.digest = b""


class _SeenParts(NamedTuple):
    """What a message is made of."""

    parts: tuple[_SeenPart, ...]
    tokens: int
    results: tuple[tuple[int, int, _SeenPart], ...]
    """What tools returned: number among the parts, tokens of the parts in front, the part."""


def _seen_parts(parts: Sequence[_SeenPart]) -> _SeenParts:
    before = [0, *accumulate(part.tokens for part in parts)]
    results = [
        (offset, before[offset], part) for offset, part in enumerate(parts) if part.kind is SegmentKind.TOOL_RESULT
    ]
    return _SeenParts(tuple(parts), before[-1], tuple(results))


class RepeatedUnit(Unit):
    """A unit of which all but the text is known.

    Attributes:
        number: of its message.
    """

    __slots__ = ("_part", "_prompt", "_text", "number")

    def __init__(self, place: int, part: _SeenPart, prompt: "RepeatedPrompt", number: int) -> None:
        self.place, self.kind, self.tool, self.name = place, part.kind, part.tool, part.name
        self.is_error = part.is_error
        self._part, self._prompt, self.number = part, prompt, number
        self._text: str | None = None

    @property
    def text(self) -> str | None:
        if self._text is None and self._part.has_text:
            self._text = self._prompt.text_of(self.number, self._part.block)
        return self._text

    @property
    def links(self) -> frozenset[str]:
        if self._prompt.has_pairs:  # which messages belong together nobody remembers
            return self._prompt.whole.units[self.place].links
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
            raw = bytes(self._prompt.raw_of(self.number, self._part.block)) if text is None else b""
            self._part.digest = content_digest(raw if text is None else text)
        return self._part.digest

    @property
    def detail(self) -> bytes:
        return self._prompt.whole.units[self.place].detail


class _SeenHead:
    """What is known of a tool's schema or of the instructions; no text."""

    __slots__ = ("digest", "kind", "tokens", "tool")

    def __init__(self, head: HeadPart, unit: Unit) -> None:
        self.kind, self.tool, self.tokens, self.digest = head.part.kind, head.tool, unit.tokens, unit.digest


class HeadUnit(Unit):
    """A unit in front of the conversation, of which all but the text is known."""

    __slots__ = ("_prompt", "_seen")

    def __init__(self, place: int, seen: _SeenHead, prompt: "RepeatedPrompt") -> None:
        super().__init__(place, seen.kind, tool=seen.tool, links=NO_LINKS)
        self._seen, self._prompt = seen, prompt

    @property
    def text(self) -> str | None:
        return self._prompt.own_head[self.place].text

    @property
    def tokens(self) -> int:
        return self._seen.tokens

    @property
    def digest(self) -> bytes:
        return self._seen.digest

    @property
    def detail(self) -> bytes:
        return b""


class _UnitIndex:
    """Which units a request has. Those that rules for content look at, what tools returned, are made at once; all
    others when somebody asks.

    Attributes:
        count: of all units.
        results: what tools returned, by place.
        tokens_before: tokens of all that stands in front of each of these.
    """

    def __init__(self, prompt: "RepeatedPrompt", head: Sequence[_SeenHead], messages: Sequence[SeenMessage]) -> None:
        self._prompt, self._head, self._messages = prompt, head, messages
        self.results: dict[int, RepeatedUnit] = {}
        self.tokens_before: dict[int, int] = {}
        place, tokens = len(head), sum([one.tokens for one in head])
        for number, message in enumerate(messages):
            known: _SeenParts = message.parts
            for offset, before, part in known.results:
                at = place + offset
                self.results[at] = RepeatedUnit(at, part, prompt, number)
                self.tokens_before[at] = tokens + before
            place += len(known.parts)
            tokens += known.tokens
        self.count = place

    @cached_property
    def head(self) -> Sequence[HeadUnit]:
        """The units in front of the conversation."""
        return [HeadUnit(place, seen, self._prompt) for place, seen in enumerate(self._head)]

    def all_units(self) -> list[Unit]:
        """All units, in their order."""
        units: list[Unit] = list(self.head)
        for number, message in enumerate(self._messages):
            for part in message.parts.parts:
                place = len(units)
                units.append(self.results.get(place) or RepeatedUnit(place, part, self._prompt, number))
        return units


class RepeatedPrompt(RequestPrompt):
    """As `RequestPrompt`, and to be held against it: units and changes are the same.

    Args:
        dialect: whose request it is.
        seen: what came before.
        split: the request with its messages, if somebody has split it already.
    """

    def __init__(
        self, body: bytes, shape: PromptShape, dialect: str, seen: SeenRequests, split: SplitRequest | None = None
    ) -> None:
        super().__init__(body, shape)
        self._dialect, self._seen, self._split = dialect, seen, split
        self._whole: RequestPrompt | None = None
        self._decoded: dict[int, list[MessagePart]] = {}
        self._index: _UnitIndex | None = None
        """None: not read yet, or as a whole."""
        self._as_sent: list[Unit] = []
        """All units of the request as it came, once somebody has asked for more than results."""
        self._edited: dict[int, RewrittenUnit] = {}

    @property
    def is_known(self) -> bool:
        self._read()
        return self._index is not None or super().is_known

    @property
    def units(self) -> Sequence[Unit]:
        self._read()
        if self._units is None and self._index is not None:
            self._as_sent = self._as_sent or self._index.all_units()
            self._units = [self._edited.get(unit.place, unit) for unit in self._as_sent]
        return super().units

    @property
    def results(self) -> Sequence[Unit]:
        self._read()
        if self._index is None:
            return super().results
        units, edited = self._index.results.values(), self._edited
        return [edited.get(unit.place, unit) for unit in units] if edited else list(units)

    def unit(self, place: int) -> Unit:
        return self._edited.get(place) or self._sent_unit(place)

    def _sent_unit(self, place: int) -> Unit:
        """The unit as the caller sent it."""
        self._read()
        if self._index is not None and place in self._index.results:
            return self._index.results[place]
        units = self.units
        return self._as_sent[place] if self._as_sent else units[place]

    @property
    def count(self) -> int:
        self._read()
        return super().count if self._index is None else self._index.count

    def tokens_before(self, place: int) -> int:
        self._read()
        before = None if self._index is None else self._index.tokens_before.get(place)
        return super().tokens_before(place) if before is None else before

    @property
    def schemas(self) -> Sequence[Unit]:
        self._read()
        if self._index is None:
            return super().schemas
        return [unit for unit in self._index.head if unit.kind is SegmentKind.TOOL_SCHEMA]

    @property
    def has_pairs(self) -> bool:
        """Whether some messages may not stand without another."""
        return self._shape.pairs is not None

    @property
    def whole(self) -> RequestPrompt:
        """The same prompt, read as if nothing of it was known."""
        if self._whole is None:
            self._whole = RequestPrompt(self._body, self._shape)
        return self._whole

    @cached_property
    def own_head(self) -> Sequence[Unit]:
        """The units in front of the conversation, read now."""
        return [head.unit(place) for place, head in enumerate(self._head())]

    def text_of(self, number: int, block: int | None) -> str | None:
        """The text of a part, read now."""
        return next((part.text for part in self._parts_of(number) if part.block == block), None)

    def raw_of(self, number: int, block: int | None) -> msgspec.Raw:
        """A part as the request writes it."""
        assert self._split is not None  # noqa: S101 - it has such units
        raw: msgspec.Raw = self._split[number]
        return raw if block is None else block_list(raw, self._shape.blocks)[block]

    def write(self, change: Change = NO_CHANGE) -> bytes:
        written = self.write_split(change)
        return self.whole.write(self._with_own_texts(change)) if written is None else written.body

    def write_split(self, change: Change = NO_CHANGE) -> SplitRequest | None:
        """The same, where nothing but texts of messages is changed, with the places of its messages; None: more is.

        Raises:
            DoesNotFit: as `write`.
        """
        change = self._with_own_texts(change)
        self.check(change)  # reads it
        if self._split is None or not change.is_of_texts_alone:
            return None
        texts: dict[int, dict[int | None, str]] = {}
        for place, text in change.replaced.items():
            unit = self._sent_unit(place)
            if not isinstance(unit, RepeatedUnit):
                return None
            texts.setdefault(unit.number, {})[unit.block] = text
        messages = self._split.messages
        return self._split.edited(
            {number: self._rewritten(number, messages[number], own) for number, own in texts.items()}
        )

    def with_texts(self, change: Change) -> Self:
        self.check(change)  # reads it
        if self._index is None:
            return super().with_texts(change)
        units = {place: self.unit(place) for place in change.replaced}
        if not all(map(self._has_text, units.values())):
            raise DoesNotFit("what is more than text cannot be another text")
        digest_of = change.digests.get
        edited = {
            place: RewrittenUnit(units[place], new, digest_of(place, b"")) for place, new in change.replaced.items()
        }
        changed = object.__new__(type(self))
        vars(changed).update(vars(self), _units=None, _texts={**self._texts, **change.replaced})
        changed._edited = {**self._edited, **edited}
        return changed

    def _has_text(self, unit: Unit) -> bool:
        return unit.has_text if isinstance(unit, RepeatedUnit) else super()._has_text(unit)

    def _rewritten(self, number: int, message: SeenMessage, texts: Mapping[int | None, str]) -> bytes:
        key = message.number, tuple(texts.items())
        known = self._seen.written(key)
        if known is None:
            parts = () if message.parts is None else message.parts.parts
            if any(part.block in texts and not part.has_text for part in parts):
                raise DoesNotFit("what is more than text cannot be another text")
            blocks = [(part.block, texts.get(part.block)) for part in parts]
            known = bytes(self._with_parts(self._shape.messages, self.raw_of(number, None), blocks))
            self._seen.remember_written(key, known)
        return known

    def _read(self) -> None:
        if self._is_read:
            return
        shape = self._shape
        if shape.with_call_ids is not None:  # what a message is depends on others
            self._split = None
            super()._read()
            return
        try:
            self._split = self._split or self._seen.split(self._body, self._dialect, shape.messages)
            if self._split is None:
                super()._read()
                return
            self._is_read = True
            self._fields = self._split.fields
            head = self._seen_head()
            self._read_messages(self._split.messages)
            self._why_no_text = shape.why_no_text(self._field)
        except UNREADABLE:
            self._is_read = True
            return
        self._index = _UnitIndex(self, head, self._split.messages)

    def _seen_head(self) -> Sequence[_SeenHead]:
        fields = (self._fields.get(self._spelt(name), b"") for name in (TOOLS, self._shape.system) if name)
        whole = b"\0".join((self._dialect.encode(), *fields))
        digest = hashlib.sha256(whole).digest()
        known = self._seen.head(digest)
        if known is None:
            known = [_SeenHead(head, head.unit(place)) for place, head in enumerate(self._head())]
            self._seen.remember_head(digest, known)
        return known

    def _read_messages(self, messages: Sequence[SeenMessage]) -> None:
        """Looks at those that nobody has looked at."""
        if all(message.parts is not None for message in messages):
            return
        tools: dict[str, str] = {}
        for number, message in enumerate(messages):
            if message.parts is None:
                message.parts = _seen_parts(self._read_parts(number, tools))
            for part in message.parts.parts:
                tools.update(part.calls)

    def _read_parts(self, number: int, tools: dict[str, str]) -> Sequence[_SeenPart]:
        """What a message that was not seen before is made of. `tools` are those called before, by the calls' ids."""
        parts = []
        for part in self._parts_of(number):
            raw = bytes(self.raw_of(number, part.block)) if part.text is None else b""
            tools.update((call, tool) for call, tool, _ in part.calls if call)
            parts.append(_SeenPart(part, raw, tools))
        return parts

    def _parts_of(self, number: int) -> list[MessagePart]:
        if number not in self._decoded:
            assert self._split is not None  # noqa: S101 - it has such messages
            self._decoded[number] = list(self._shape.parts(mapping(_decode(self._split[number]))))
        return self._decoded[number]
