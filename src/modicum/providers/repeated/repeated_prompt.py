"""The prompt of a request that repeats most of what came before it: only what is new is read."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Self

from modicum.calls import SegmentKind
from modicum.calls.change import NO_CHANGE, Change, DoesNotFit
from modicum.calls.prompt import RewrittenUnit, Unit
from modicum.providers.body_parsing import UNREADABLE
from modicum.providers.prompt import PromptShape, RequestPrompt
from modicum.providers.repeated.seen_units import RepeatedUnit, SeenHead, SeenRequest, UnitIndex
from modicum.providers.seen_requests import SeenMessage, SeenRequests, SplitRequest


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
        self._reader: SeenRequest | None = None
        self._index: UnitIndex | None = None
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

    def units_at(self, places: Iterable[int]) -> Sequence[Unit]:
        self._read()
        edited, results = self._edited, {} if self._index is None else self._index.results
        return [edited.get(place) or results.get(place) or self._sent_unit(place) for place in places]

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

    def write(self, change: Change = NO_CHANGE) -> bytes:
        written = self.write_split(change)
        if written is not None:
            return written.body
        whole = RequestPrompt(self._body, self._shape) if self._reader is None else self._reader
        return whole.write(self._with_own_texts(change))

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
        return self._split.edited({number: self._rewritten(number, own) for number, own in texts.items()})

    def with_texts(self, change: Change) -> Self:
        self.check(change)  # reads it
        if self._index is None:
            return super().with_texts(change)
        units = self.units_at(change.replaced)
        if not all(map(self._has_text, units)):
            raise DoesNotFit("what is more than text cannot be another text")
        digest_of = change.digests.get
        edited = {
            unit.place: RewrittenUnit(unit, new, digest_of(unit.place, b""))
            for unit, new in zip(units, change.replaced.values(), strict=True)
        }
        changed = object.__new__(type(self))
        vars(changed).update(vars(self), _units=None, _texts={**self._texts, **change.replaced})
        changed._edited = {**self._edited, **edited}
        return changed

    def _has_text(self, unit: Unit) -> bool:
        return unit.has_text if isinstance(unit, RepeatedUnit) else super()._has_text(unit)

    def _rewritten(self, number: int, texts: Mapping[int | None, str]) -> bytes:
        assert self._split is not None  # noqa: S101 - it has such messages
        assert self._reader is not None  # noqa: S101 - the same
        message = self._split.messages[number]
        key = message.number, tuple(texts.items())
        known = self._seen.written(key)
        if known is None:
            known = self._reader.rewritten(number, message, texts)
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
            self._split = split = self._split or self._seen.split(self._body, self._dialect, shape.messages)
            if split is None:
                super()._read()
                return
            self._is_read = True
            self._fields = split.fields
            self._reader = reader = SeenRequest(shape, split)
            head = self._seen_head(reader, split)
            _read_messages(reader, split.messages)
            self._why_no_text = shape.why_no_text(self._field)
        except UNREADABLE:
            self._is_read = True
            return
        self._index = UnitIndex(reader, head, split.messages)

    def _seen_head(self, reader: SeenRequest, split: SplitRequest) -> Sequence[SeenHead]:
        key = self._dialect, split.head_digest
        known = self._seen.head(key)
        if known is None:
            known = reader.seen_head()
            self._seen.remember_head(key, known)
        return known


def _read_messages(reader: SeenRequest, messages: Sequence[SeenMessage]) -> None:
    """Looks at those that nobody has looked at."""
    if not any(message.parts is None for message in messages):
        return
    tools: dict[str, str] = {}
    for number, message in enumerate(messages):
        if message.parts is None:
            message.parts = reader.seen_parts(number, tools)
        for part in message.parts.parts:
            tools.update(part.calls)
