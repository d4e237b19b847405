"""The prompt of a request that repeats most of what came before it: only what is new is read."""

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from modicum.calls.change import Change, DoesNotFit
from modicum.calls.prompt import Unit, tokens_by_length
from modicum.providers.body_parsing import UNREADABLE
from modicum.providers.fields import mapping
from modicum.providers.prompt import (
    NO_LINKS,
    MessagePart,
    PromptShape,
    RequestPrompt,
    block_list,
    content_digest,
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
        self.links, self.is_error = part.links, part.is_error
        self._part, self._prompt, self.number = part, prompt, number
        self._text: str | None = None

    @property
    def text(self) -> str | None:
        if self._text is None and self._part.has_text:
            self._text = self._prompt.text_of(self.number, self._part.block)
        return self._text

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

    @property
    def whole(self) -> RequestPrompt:
        """The same prompt, read as if nothing of it was known."""
        if self._whole is None:
            self._whole = RequestPrompt(self._body, self._shape)
        return self._whole

    def text_of(self, number: int, block: int | None) -> str | None:
        """The text of a part, read now."""
        return next((part.text for part in self._parts_of(number) if part.block == block), None)

    def raw_of(self, number: int, block: int | None) -> msgspec.Raw:
        """A part as the request writes it."""
        assert self._split is not None  # noqa: S101 - it has such units
        raw: msgspec.Raw = self._split[number]
        return raw if block is None else block_list(raw, self._shape.blocks)[block]

    def write(self, change: Change) -> bytes:
        self.check(change)  # reads it
        units = self.units
        texts: dict[int, dict[int | None, str]] = {}
        is_plain = self._split is not None and change == Change(replaced=change.replaced, why=change.why)
        for place, text in change.replaced.items():
            unit = units[place]
            if not isinstance(unit, RepeatedUnit):
                is_plain = False
                break
            texts.setdefault(unit.number, {})[unit.block] = text
        return self._with_texts(texts) if is_plain and texts else self.whole.write(change)

    def _with_texts(self, texts: Mapping[int, Mapping[int | None, str]]) -> bytes:
        """The request with other texts in these blocks of these messages; all else is the caller's, byte for byte."""
        split, body, at = self._split, memoryview(self._body), 0
        assert split is not None  # noqa: S101 - asked before
        pieces: list[bytes | memoryview] = []
        for number in sorted(texts):
            message = split.messages[number]
            pieces += body[at : message.start], self._rewritten(number, message, texts[number])
            at = message.end
        return b"".join((*pieces, body[at:]))

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
        if shape.pairs is not None or shape.with_call_ids is not None:  # what a message is depends on others
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
            units = [*self._head(), *self._repeated(self._split)]
            self._why_no_text = shape.why_no_text(self._field)
        except UNREADABLE:
            self._is_read = True
            return
        self._units = units

    def _repeated(self, split: SplitRequest) -> Iterator[Unit]:
        place = len(self._places)
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
