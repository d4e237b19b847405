"""The prompt of a request that repeats most of what came before it: only what is new is read."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property

import msgspec

from modicum.calls.change import NO_CHANGE, Change, DoesNotFit
from modicum.calls.prompt import Unit, content_digest, tokens_by_length
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
        self._as_sent: Sequence[Unit] = ()
        """The units of the request as it came."""

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
            unit = self._as_sent[place]
            if not isinstance(unit, RepeatedUnit):
                return None
            texts.setdefault(unit.number, {})[unit.block] = text
        messages = self._split.messages
        return self._split.edited(
            {number: self._rewritten(number, messages[number], texts[number]) for number in texts}
        )

    def _has_text(self, unit: Unit) -> bool:
        return unit.has_text if isinstance(unit, RepeatedUnit) else super()._has_text(unit)

    def _rewritten(self, number: int, message: SeenMessage, texts: Mapping[int | None, str]) -> bytes:
        key = message.number, tuple(texts.items())
        known = self._seen.written(key)
        if known is None:
            parts = message.parts or ()
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
            head = [HeadUnit(place, seen, self) for place, seen in enumerate(self._seen_head())]
            units = [*head, *self._repeated(self._split, len(head))]
            self._why_no_text = shape.why_no_text(self._field)
        except UNREADABLE:
            self._is_read = True
            return
        self._units = self._as_sent = units

    def _seen_head(self) -> Sequence[_SeenHead]:
        fields = (self._fields.get(self._spelt(name), b"") for name in (TOOLS, self._shape.system) if name)
        whole = b"\0".join((self._dialect.encode(), *fields))
        digest = hashlib.sha256(whole).digest()
        known = self._seen.head(digest)
        if known is None:
            known = [_SeenHead(head, head.unit(place)) for place, head in enumerate(self._head())]
            self._seen.remember_head(digest, known)
        return known

    def _repeated(self, split: SplitRequest, place: int) -> Iterator[Unit]:
        tools: dict[str, str] = {}
        for number, message in enumerate(split.messages):
            if message.parts is None:
                message.parts = self._read_parts(number, tools)
            for part in message.parts:
                yield RepeatedUnit(place, part, self, number)
                place += 1
                if part.calls:
                    tools.update(part.calls)

    def _read_parts(self, number: int, tools: dict[str, str]) -> Sequence[_SeenPart]:
        """What a message that was not seen before is made of. `tools` are those called before, by the calls' ids."""
        parts = []
        for part in self._parts_of(number):
            raw = bytes(self.raw_of(number, part.block)) if part.text is None else b""
            tools.update((call, tool) for call, tool, _ in part.calls if call)
            parts.append(_SeenPart(part, raw, tools))
        return tuple(parts)

    def _parts_of(self, number: int) -> list[MessagePart]:
        if number not in self._decoded:
            assert self._split is not None  # noqa: S101 - it has such messages
            self._decoded[number] = list(self._shape.parts(mapping(_decode(self._split[number]))))
        return self._decoded[number]
