"""The prompt of a request that repeats most of what came before it: only what is new is read."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Self

from modicum.calls import SegmentKind
from modicum.calls.change import NO_CHANGE, Change, DoesNotFit, EarlierEdits
from modicum.calls.prompt import NotHeld, RewrittenUnit, Unit, tokens_by_length
from modicum.providers.body_parsing import UNREADABLE
from modicum.providers.prompt import PromptShape, RequestPrompt
from modicum.providers.repeated.edited_beginnings import EditedBeginning, WrittenMessage
from modicum.providers.repeated.seen_units import CalledTools, RepeatedUnit, SeenHead, SeenRequest, UnitIndex
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
        self._written: dict[int, WrittenMessage] = {}
        """Messages with other texts, once they were written."""
        self.beginning: EditedBeginning | None = None
        """What is known to be made of its first messages. Units are then those behind it alone."""
        self._bodies: dict[int, bytes] = {}
        """Its messages that are sent in another form."""
        self._earlier_removed = 0
        """Tokens that rules have left out of the beginning so far."""

    @property
    def is_known(self) -> bool:
        self._read()
        return self._index is not None or super().is_known

    @property
    def units(self) -> Sequence[Unit]:
        self._read()
        if self.beginning is not None:
            raise NotHeld("what rules made of the beginning is known, and of its units nothing")
        if self._units is None and self._index is not None:
            self._as_sent = self._as_sent or self._index.all_units()
            self._units = [self._edited.get(unit.place, unit) for unit in self._as_sent]
        return super().units

    @property
    def results(self) -> Sequence[Unit]:
        return self.new_results if self.beginning is None else super().results

    @property
    def new_results(self) -> Sequence[Unit]:
        self._read()
        if self._index is None:
            return super().results
        units, edited = self._index.results.values(), self._edited
        return [edited.get(unit.place, unit) for unit in units] if edited else list(units)

    @property
    def new_units(self) -> tuple[int, Sequence[Unit]]:
        if self.beginning is None or self._index is None:
            return super().new_units
        units = [self._edited.get(unit.place, unit) for unit in self._index.all_units()]
        return self.beginning.tokens - self._earlier_removed, units

    @property
    def tokens(self) -> int:
        before, units = self.new_units
        return before + sum(unit.tokens for unit in units)

    def earlier_edits(self, rule: str) -> EarlierEdits | None:
        return None if self.beginning is None else self.beginning.edits.get(rule)

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

    @property
    def tool_names(self) -> tuple[str, ...]:
        self._read()
        if self._index is None:
            return super().tool_names
        return tuple([one.tool for one in self._index.seen_head if one.kind is SegmentKind.TOOL_SCHEMA])

    def behind_known(self, rules: tuple[str, ...]) -> "RepeatedPrompt":
        """The prompt behind a beginning of which it is known what these rules made of it; itself, if there is none."""
        split = self._split_once()
        if split is None:
            return self
        numbers = (message.number for message in reversed(split.messages))
        beginning = self._seen.beginnings.longest(numbers, (rules, split.head_digest))
        bodies = None if beginning is None else beginning.bodies()
        if bodies is None:
            return self
        prompt = RepeatedPrompt(self._body, self._shape, self._dialect, self._seen, split)
        prompt.beginning, prompt._bodies = beginning, bodies
        return prompt

    def remember(self, rules: tuple[str, ...], made: Sequence[tuple[str, Self, Change]]) -> None:
        """What rules made of it is known again in requests that begin in the same way.

        Args:
            rules: all that were asked, and that look at each result by itself (`Rule.edits_each`).
            made: their changes, which were written, each with the prompt before it.
        """
        split, index, before = self._split, self._index, self.beginning
        count = 0 if split is None else split.lasting
        if split is None or index is None or count <= index.first:
            return
        parts = [message.parts for message in split.messages[index.first : count]]
        units, tokens = index.start
        units += sum([len(one.parts) for one in parts])
        tokens += sum([one.tokens for one in parts])
        edits = dict(before.edits) if before is not None else {}
        for rule, prompt, change in made:
            if any(place < units for place in change.replaced):
                edits[rule] = prompt.all_edits(change, units)
        written = {} if before is None else dict(before.written)
        written |= {number: message for number, message in self._written.items() if number < count}
        key, last = (rules, split.head_digest), split.messages[count - 1].number
        follows = None if before is None else before.last
        self._seen.beginnings.remember(EditedBeginning(key, last, count, units, tokens, edits, written, follows))

    def all_edits(self, change: Change, count: int) -> EarlierEdits:
        """What a change of this prompt makes of so many first units."""
        earlier = change.earlier or EarlierEdits((), (), ())
        before, removed, texts = list(earlier.tokens_before), list(earlier.removed), list(earlier.texts)
        replaced = {place: new for place, new in change.replaced.items() if place < count}
        for unit, new in zip(self.units_at(replaced), replaced.values(), strict=True):
            before.append(self.tokens_before(unit.place))
            removed.append((removed[-1] if removed else 0) + unit.tokens - tokens_by_length(new))
            texts.append((unit.digest, change.digests[unit.place]))
        return EarlierEdits(tuple(before), tuple(removed), tuple(texts))

    def write(self, change: Change = NO_CHANGE) -> bytes:
        written = self.write_split(change)
        if written is not None:
            return written.body
        if self.beginning is not None:
            raise DoesNotFit("what rules made of its beginning is known, and of its units nothing")
        whole = RequestPrompt(self._body, self._shape) if self._reader is None else self._reader
        return whole.write(self._with_own_texts(change))

    def write_split(self, change: Change = NO_CHANGE) -> SplitRequest | None:
        """The same, where nothing but texts of messages is changed, with the places of its messages; None: more is.

        Raises:
            DoesNotFit: as `write`.
        """
        change = self._with_own_texts(change)
        self.check(change)  # reads it
        is_of_texts = change.is_of_texts_alone or (self.beginning is not None and change.is_nothing)
        if self._split is None or not is_of_texts:
            return None
        texts: dict[int, dict[int | None, str]] = {}
        for place, text in change.replaced.items():
            unit = self._sent_unit(place)
            if not isinstance(unit, RepeatedUnit):
                return None
            texts.setdefault(unit.number, {})[unit.block] = text
        self._written, bodies = {}, dict(self._bodies)
        sent = {} if self.beginning is None else dict(self.beginning.written)
        for number, own in texts.items():
            written = sent[number] = self._written[number] = self._rewritten(number, own)
            bodies[number] = written.body  # at once: writing the next one may forget it
        return self._split.edited(bodies, sent)

    def with_texts(self, change: Change) -> Self:
        if change.earlier is not None:
            self._earlier_removed += change.earlier.removed[-1]
            if not change.replaced:  # none of its units is another one
                return self
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

    def _rewritten(self, number: int, texts: Mapping[int | None, str]) -> WrittenMessage:
        assert self._split is not None  # noqa: S101 - it has such messages
        assert self._reader is not None  # noqa: S101 - the same
        message = self._split.messages[number]
        key = message.number, tuple(texts.items())
        known = self._seen.written.find(key)
        if known is None:
            known = self._seen.written.remember(key, self._reader.rewritten(number, message, texts))
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
            split = self._split_once()
            if split is None:
                super()._read()
                return
            self._is_read = True
            self._fields = split.fields
            self._reader = reader = SeenRequest(shape, split)
            head = self._seen_head(reader, split)
            _read_messages(reader, split.messages, 0 if self.beginning is None else self.beginning.messages)
            self._why_no_text = shape.why_no_text(self._field)
        except UNREADABLE:
            self._is_read = True
            return
        self._index = UnitIndex(reader, head, split.messages, self.beginning)

    def _split_once(self) -> SplitRequest | None:
        """The request with its messages.

        Raises:
            ValueError, RecursionError: it is not JSON.
        """
        if self._split is None and self._shape.with_call_ids is None:
            self._split = self._seen.split(self._body, self._dialect, self._shape.messages)
        return self._split

    def _seen_head(self, reader: SeenRequest, split: SplitRequest) -> Sequence[SeenHead]:
        key = self._dialect, split.head_digest
        known = self._seen.head(key)
        if known is None:
            known = reader.seen_head()
            self._seen.remember_head(key, known)
        return known


def _read_messages(reader: SeenRequest, messages: Sequence[SeenMessage], first: int) -> None:
    """Looks at those from number `first` on at which nobody has looked."""
    unread = next((number for number in range(first, len(messages)) if messages[number].parts is None), None)
    if unread is None:
        return
    called = CalledTools([message.parts for message in messages[:unread]])
    for number in range(unread, len(messages)):
        message = messages[number]
        if message.parts is None:
            message.parts = reader.seen_parts(number, called)
        else:
            called.add(message.parts)
