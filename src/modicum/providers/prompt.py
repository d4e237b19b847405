"""A request's prompt as rules see it (`calls/prompt.py`), and the one place where a change is made in its bytes.

All bytes of what stays are the caller's.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Self

import msgspec

from modicum.calls import SegmentKind
from modicum.calls.change import NO_CHANGE, Change, DoesNotFit
from modicum.calls.prompt import Prompt, RewrittenUnit, Unit, content_digest, tokens_by_length
from modicum.providers.blocks import canonical
from modicum.providers.body_parsing import (
    UNREADABLE,
    block_list,
    item_with_text,
    snake_case,
    with_sorted_keys,
    write_field,
)
from modicum.providers.fields import joined_text, listed, mapping, text

_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])
_raws = msgspec.json.Decoder(list[msgspec.Raw])
_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.encode

GO_ON = "(no new message)"
"""What takes the place of a last message that goes out, where a prompt may not end with the model's own words."""
_MARK = b'"cache_control"'
"""Of the APIs whose callers mark what is cached."""
_TOOL_CHOICE = "tool_choice", "toolConfig"
"""The fields that say how tools are to be used, of all dialects."""
TOOLS = "tools"
"""The field in which tools' schemas stand, in every dialect whose requests are taken apart."""

NO_LINKS: frozenset[str] = frozenset()

Field = Callable[[str], Any]
"""A field of the request, decoded; None where it is missing."""


class MessagePart(NamedTuple):
    """What a dialect says of a message, or of one block of it."""

    kind: SegmentKind
    text: str | None = None
    """None where it is more than text."""
    name: str = ""
    """Who said it, where the API has a field for it."""
    block: int | None = None
    """The block's number in its message; None: it is all of the message."""
    calls: tuple[tuple[str, str, Any], ...] = ()
    """Tool calls that it makes: id, tool, arguments."""
    answers: str = ""
    """The id of the tool call that it is the result of."""
    is_error: bool = False


def _as_user_message(content: str) -> dict[str, Any]:
    return {"role": "user", "content": content}


class PromptShape(NamedTuple):
    """Where a dialect's requests have their prompt."""

    messages: str
    """The field in which the messages stand."""
    parts: Callable[[Mapping[str, Any]], Iterator[MessagePart]]
    """What a message is made of."""
    why_no_text: Callable[[Field], str]
    """Why a plain text in reply is not what the caller can take; empty: it is."""
    system: str = ""
    """The field in which the instructions stand, if they have one of their own."""
    pairs: Callable[[Sequence[Mapping[str, Any]]], Iterator[tuple[int, int]]] | None = None
    """Messages, by their numbers, of which neither may stand without the other."""
    ends_with_user: bool = False
    """Whether a prompt may not begin or end with the model's own words."""
    output_caps: tuple[str, ...] = ()
    """The fields that bound the reply; where none is there, the first is written."""
    effort: tuple[str, ...] = ()
    """The path to the field that says how much the model is to think; none: the API has none."""
    options: str = ""
    """The field in which the bounds of the reply stand; empty: they stand beside the messages."""
    blocks: str = "content"
    """The field in which a message has its blocks."""
    schemas: str = ""
    """The field in which one entry of `tools` may hold the schemas of several."""
    snake_case: bool = False
    """Whether the API also takes its fields written in that way."""
    with_call_ids: Callable[[list[Mapping[str, Any]]], list[Mapping[str, Any]]] | None = None
    """Gives tool calls and results that have no ids such that tie them together."""
    with_text: Callable[[msgspec.Raw, str], msgspec.Raw] | None = None
    """A block with another text; None: as most APIs write one."""
    with_ttl: Callable[[Mapping[str, msgspec.Raw], str], dict[str, msgspec.Raw]] | None = None
    """Fields with all cache marks for `5m` or `1h`; None: marks have no such time."""
    with_marks: Callable[[Mapping[str, msgspec.Raw]], dict[str, msgspec.Raw]] | None = None
    """Fields with breakpoints of the prompt cache; None: there are no marks."""
    result_marks: tuple[bytes, ...] = ()
    """One of these stands in every request that holds a result of a tool; none: nothing tells."""
    mark: bytes = b""
    """What stands in every request that marks what is cached."""
    with_line: Callable[[dict[str, msgspec.Raw], str, Mapping[str, msgspec.Raw]], bool] | None = None
    """Adds a line at the end of a request's last message; False: it cannot stand there. None: in none of this API."""
    cache_key: str = ""
    """The field that names the conversation to the provider's cache; empty: there is none."""
    as_instructions: Callable[[str], Any] = str
    """A text as the instructions."""
    as_user_message: Callable[[str], dict[str, Any]] = _as_user_message
    """A text as a message of the user."""


class _Place(NamedTuple):
    """Where a unit stands in the request."""

    field: str
    number: int = 0
    block: int | None = None


class RequestUnit(Unit):
    """A unit of a request, with its text. `about` are the tools and arguments of the calls that it makes or answers."""

    __slots__ = ("_about", "_digest", "_raw", "_text")

    def __init__(
        self,
        place: int,
        part: MessagePart,
        raw: msgspec.Raw,
        links: frozenset[str] = NO_LINKS,
        tool: str = "",
        about: Sequence[tuple[str, Any]] = (),
    ) -> None:
        self.place, self.kind, self.tool, self.name = place, part.kind, tool, part.name
        self._links, self.is_error = links, part.is_error
        self._text, self._raw, self._about, self._digest = part.text, raw, about, b""

    @property
    def text(self) -> str | None:
        return self._text

    @property
    def tokens(self) -> int:
        return tokens_by_length(bytes(self._raw) if self._text is None else self._text)

    @property
    def digest(self) -> bytes:
        if not self._digest:  # several rules ask
            self._digest = content_digest(bytes(self._raw) if self._text is None else self._text)
        return self._digest

    @property
    def detail(self) -> bytes:
        """A digest of the tools and arguments of the calls that it makes or answers."""
        if not self._about:
            return b""
        return content_digest("\0".join(f"{tool}\0{canonical(given)}" for tool, given in self._about))


class HeadPart(NamedTuple):
    """A tool's schema, or the instructions."""

    where: _Place
    part: MessagePart
    raw: msgspec.Raw
    tool: str = ""

    def unit(self, place: int) -> RequestUnit:
        return RequestUnit(place, self.part, self.raw, NO_LINKS, self.tool)


class RequestPrompt(Prompt):
    """The prompt of one request. The request is read when somebody first asks for what is in it: most rules need not
    look into most calls.
    """

    holds_text = True

    def __init__(self, body: bytes, shape: PromptShape) -> None:
        super().__init__(None, "the request has not the shape of its API")
        self._body, self._shape = body, shape
        self._is_read = False
        self._fields: dict[str, msgspec.Raw] = {}
        self._messages: list[msgspec.Raw] = []
        self._places: list[_Place] = []
        self._why_no_text = self._why_unknown
        self._texts: dict[int, str] = {}
        """Texts that units are sent with in the place of those in `body`."""

    @property
    def may_hold_results(self) -> bool:
        marks = self._shape.result_marks
        return not marks or any(mark in self._body for mark in marks)

    @property
    def is_known(self) -> bool:
        self._read()
        return self._units is not None

    @property
    def units(self) -> Sequence[Unit]:
        self._read()
        return super().units

    @property
    def why_no_text(self) -> str:
        """Why a plain text in reply is not what the caller can take; empty: it is."""
        self._read()
        return self._why_no_text

    @property
    def marks_cache(self) -> bool:
        return not self._shape.mark or self._shape.mark in self._body

    @property
    def has_cache_marks(self) -> bool:
        return _MARK in self._body

    @property
    def has_sorted_schemas(self) -> bool:
        self._read()
        tools = self._array(TOOLS)
        return tools == [with_sorted_keys(tool) for tool in tools]

    @property
    def effort(self) -> str:
        self._read()
        value: Any = self._field(self._shape.effort[0]) if self._shape.effort else None
        for name in self._shape.effort[1:]:
            value = mapping(value).get(name)
        return text(value)

    @property
    def takes_cache_key(self) -> bool:
        self._read()
        return bool(self._shape.cache_key) and self._shape.cache_key not in self._fields

    def with_texts(self, change: Change) -> Self:
        """The prompt with other texts in some units (`Change.is_of_texts_alone`), which nobody has written yet.

        Raises:
            DoesNotFit: there is no such unit, or it is more than text.
        """
        self.check(change)  # reads it
        units = list(self.units)
        if not all(map(self._has_text, (units[place] for place in change.replaced))):
            raise DoesNotFit("what is more than text cannot be another text")
        for place, new in change.replaced.items():
            units[place] = RewrittenUnit(units[place], new, change.digests.get(place, b""))
        changed = object.__new__(type(self))
        vars(changed).update(vars(self), _units=units, _texts={**self._texts, **change.replaced})
        vars(changed).pop("results", None)  # the tokens before each unit stay as they were sent by the caller
        return changed

    def _has_text(self, unit: Unit) -> bool:
        return unit.text is not None

    def _with_own_texts(self, change: Change) -> Change:
        """The change, and the texts that nobody has written yet."""
        if not self._texts:
            return change
        return msgspec.structs.replace(change, replaced={**self._texts, **change.replaced})

    def write(self, change: Change = NO_CHANGE) -> bytes:
        """The request after a change, but for the model's name, which depends on where the call goes.

        Raises:
            DoesNotFit: the provider would not take it, or nothing would be left to say.
        """
        change = self._with_own_texts(change)
        self.check(change)  # reads it
        self._check_parts(change)
        self._check_order(change)
        fields = dict(self._fields)
        if change.is_of_prompt:
            self._write_prompt(fields, change)
        if change.most_output_tokens is not None:
            self._write_cap(fields, change.most_output_tokens)
        if change.effort:
            if not self._shape.effort:
                raise DoesNotFit("the API has no field for effort")
            write_field(fields, self._shape.effort, change.effort)
        return _encode(self._with_cache_fields(fields, change))

    def _with_cache_fields(self, fields: dict[str, msgspec.Raw], change: Change) -> dict[str, msgspec.Raw]:
        if change.sorts_tools:
            fields[TOOLS] = self._sorted_tools()
        if change.sorts_keys:
            fields[TOOLS] = msgspec.Raw(_encode([with_sorted_keys(tool) for tool in self._array(TOOLS)]))
        if change.cache_key:
            if not self.takes_cache_key:
                raise DoesNotFit("the API takes no key for its cache, or the caller gives one")
            fields[self._shape.cache_key] = msgspec.Raw(_encode(change.cache_key))
        if change.marks_cache:
            if self._shape.with_marks is None or self.marks_cache:
                raise DoesNotFit("the API has no cache marks, or the caller sets them")
            fields = self._shape.with_marks(fields)
        if change.shortens_cache_marks or change.lengthens_cache_marks:
            if self._shape.with_ttl is None:
                raise DoesNotFit("the API has no cache marks with a time to live")
            fields = self._shape.with_ttl(fields, "1h" if change.lengthens_cache_marks else "5m")
        return fields

    def _sorted_tools(self) -> msgspec.Raw:
        names = {
            place.number: unit.tool
            for unit, place in zip(self.units, self._places, strict=True)
            if place.field == TOOLS and place.block is None
        }
        tools = self._array(TOOLS)
        if len(names) != len(tools) or (self._shape.mark and any(self._shape.mark in bytes(tool) for tool in tools)):
            raise DoesNotFit("tools that are marked for the cache, or stand in groups, keep their order")
        return msgspec.Raw(_encode([tools[number] for number in sorted(names, key=lambda one: (names[one], one))]))

    def _read(self) -> None:
        if self._is_read:
            return
        self._is_read = True
        try:
            self._fields = _fields.decode(self._body)
            self._messages = self._array(self._shape.messages)
            head = list(self._head())
            self._places += [part.where for part in head]
            units = [*(part.unit(place) for place, part in enumerate(head)), *self._conversation()]
            self._why_no_text = self._shape.why_no_text(self._field)
        except UNREADABLE:
            return
        self._units = units

    def _array(self, field: str) -> list[msgspec.Raw]:
        raw = self._fields.get(self._spelt(field))
        return _raws.decode(raw) if raw is not None and bytes(raw).lstrip().startswith(b"[") else []

    def _field(self, name: str) -> Any:
        raw = self._fields.get(self._spelt(name))
        return None if raw is None else _decode(raw)

    def _spelt(self, name: str, holder: Mapping[str, Any] | None = None) -> str:
        """A field's name as the request writes it."""
        fields = self._fields if holder is None else holder
        other = snake_case(name) if self._shape.snake_case and name not in fields else name
        return other if other in fields else name

    def _head(self) -> Iterator["HeadPart"]:
        """Tools' schemas and the instructions that stand in a field of their own."""
        schema_part = MessagePart(SegmentKind.TOOL_SCHEMA)
        for number, raw in enumerate(self._array(TOOLS)):
            schema = mapping(_decode(raw))
            several = listed(schema.get(self._spelt(self._shape.schemas, schema))) if self._shape.schemas else []
            if several and len(schema) == 1:
                own = block_list(raw, next(iter(schema)))
                for block, one in enumerate(map(mapping, several)):
                    yield HeadPart(_Place(TOOLS, number, block), schema_part, own[block], text(one.get("name")))
                continue
            inner = mapping(schema.get("function")) or schema
            tool = text(inner.get("name")) or text(inner.get("type"))
            if not tool and self._shape.schemas:
                tool = next(iter(schema), "")  # one of the provider's own: `{"googleSearch": {}}`
            yield HeadPart(_Place(TOOLS, number), schema_part, raw, tool)
        name = self._spelt(self._shape.system)
        system = name and self._fields.get(name)
        if system:
            part = MessagePart(SegmentKind.SYSTEM, joined_text(_decode(system), self._shape.blocks))
            yield HeadPart(_Place(name), part, system)

    def _conversation(self) -> Iterator[Unit]:
        decoded = [mapping(_decode(message)) for message in self._messages]
        if self._shape.with_call_ids is not None:
            decoded = self._shape.with_call_ids(decoded)
        pairs: dict[int, frozenset[str]] = {}
        for pair in self._shape.pairs(decoded) if self._shape.pairs is not None else ():
            for number in pair:
                pairs[number] = pairs.get(number, NO_LINKS) | {f"messages {pair[0]} and {pair[1]}"}
        made: dict[str, tuple[str, Any]] = {}
        field, places = self._shape.messages, self._places
        for number, (message, raw) in enumerate(zip(decoded, self._messages, strict=True)):
            blocks: list[msgspec.Raw] = []
            for part in self._shape.parts(message):
                blocks = blocks or (block_list(raw, self._shape.blocks) if part.block is not None else [])
                own = raw if part.block is None else blocks[part.block]
                links = pairs.get(number, NO_LINKS)
                places.append(_Place(field, number, part.block))
                if part.calls or part.answers:
                    yield _tool_unit(len(places) - 1, part, own, links, made)
                else:
                    yield RequestUnit(len(places) - 1, part, own, links)

    def _check_parts(self, change: Change) -> None:
        """What has no text cannot have another one, and what is tied together goes or stays together."""
        units = self.units
        if not all(map(self._has_text, (units[place] for place in change.replaced))):
            raise DoesNotFit("what is more than text cannot be another text")
        self._check_tools(change)
        gone = frozenset[str]().union(*(units[place].links for place in change.left_out))
        if gone and any(unit.links & gone for unit in units if unit.place not in change.left_out):
            raise DoesNotFit("a tool call and its result go or stay together")

    def _check_tools(self, change: Change) -> None:
        """No tool goes that the caller asks for by name, and not the last where it says how tools are to be used."""
        schemas = [unit for unit in self.units if unit.kind is SegmentKind.TOOL_SCHEMA]
        gone = [unit for unit in schemas if unit.place in change.left_out]
        choice = b"".join(bytes(self._fields.get(self._spelt(name), b"")) for name in _TOOL_CHOICE)
        if not gone or not choice:
            return
        if len(gone) == len(schemas) or any(_encode(unit.tool) in choice for unit in gone):
            raise DoesNotFit("the caller says how these tools are to be used")

    def _check_order(self, change: Change) -> None:
        """No prompt begins with the model's own words for want of others, where its API does not take that."""
        before = [unit for unit in self.units if unit.is_message]
        left = [unit for unit in before if unit.place not in change.left_out]
        if self._shape.ends_with_user and left and left[0].is_by_model and not before[0].is_by_model:
            raise DoesNotFit("the prompt would begin with the model's own words")

    def _write_prompt(self, fields: dict[str, msgspec.Raw], change: Change) -> None:
        stay: dict[str, dict[int, list[tuple[int | None, str | None]]]] = {}
        whole: dict[str, set[int]] = {}
        for unit, place in zip(self.units, self._places, strict=True):
            whole.setdefault(place.field, set()).add(place.number)
            if unit.place not in change.left_out:
                found = stay.setdefault(place.field, {}).setdefault(place.number, [])
                found.append((place.block, change.replaced.get(unit.place)))
        for field, indexes in whole.items():
            left = stay.get(field, {})
            if field not in {self._shape.messages, TOOLS}:
                self._write_system(fields, field, left)
                continue
            items = self._messages if field == self._shape.messages else self._array(field)
            kept = [
                item if index not in indexes else self._with_parts(field, item, left[index])
                for index, item in enumerate(items)
                if index not in indexes or index in left
            ]
            if field == self._shape.messages and self._ends_with_model(change):
                kept.append(msgspec.Raw(_encode(self._shape.as_user_message(GO_ON))))
            if kept or field == self._shape.messages:
                fields[field] = msgspec.Raw(_encode(kept))
            else:
                fields.pop(field)

    def _write_system(
        self, fields: dict[str, msgspec.Raw], name: str, left: Mapping[int, list[tuple[int | None, str | None]]]
    ) -> None:
        if not left:
            fields.pop(name)
        elif (replaced := left[0][0][1]) is not None:
            fields[name] = msgspec.Raw(_encode(self._shape.as_instructions(replaced)))

    def _with_parts(self, field: str, item: msgspec.Raw, parts: Sequence[tuple[int | None, str | None]]) -> msgspec.Raw:
        """A message, or an entry of `tools`, with these blocks alone, or all of it (block None), each with its text or
        with another one.
        """
        with_text = self._shape.with_text or item_with_text
        if parts[0][0] is None:
            replaced = parts[0][1]
            return item if replaced is None else with_text(item, replaced)
        fields = _fields.decode(item)
        name = self._spelt(self._shape.schemas if field == TOOLS else self._shape.blocks, fields)
        blocks = block_list(item, name)
        if len(parts) == len(blocks) and all(replaced is None for _, replaced in parts):
            return item
        kept = [
            blocks[block] if replaced is None else with_text(blocks[block], replaced)
            for block, replaced in parts
            if block is not None
        ]
        return msgspec.Raw(_encode({**fields, name: kept}))

    def _ends_with_model(self, change: Change) -> bool:
        """Whether it would end with the model's own words, which it did not do before, where that is not taken."""
        before = [unit for unit in self.units if unit.is_message]
        left = [unit for unit in before if unit.place not in change.left_out]
        return self._shape.ends_with_user and left[-1].is_by_model and not before[-1].is_by_model

    def _write_cap(self, fields: dict[str, msgspec.Raw], most_tokens: int) -> None:
        if not self._shape.output_caps:
            raise DoesNotFit("the API has no field for the most output")
        inside = self._spelt(self._shape.options)
        holder = mapping(self._field(inside)) if inside else self._fields
        names = [self._spelt(name, holder) for name in self._shape.output_caps]
        name = next((name for name in names if name in holder), names[0])
        now = holder.get(name) if inside else self._field(name)
        if not isinstance(now, int) or now > most_tokens:
            write_field(fields, (inside, name) if inside else (name,), most_tokens)


def _tool_unit(
    place: int, part: MessagePart, raw: msgspec.Raw, links: frozenset[str], made: dict[str, tuple[str, Any]]
) -> Unit:
    """A unit that makes or answers tool calls. `made` are those of the units before it, by their ids; it grows."""
    made |= {call: (tool, given) for call, tool, given in part.calls if call}
    about = [(tool, given) for _, tool, given in part.calls]
    if not about and part.answers in made:
        about = [made[part.answers]]
    ids = {call for call, _, _ in part.calls if call} | ({part.answers} if part.answers else set())
    tools = {tool for tool, _ in about}
    return RequestUnit(place, part, raw, links | ids, tools.pop() if len(tools) == 1 else "", about)
