"""A request message by message, with what tells who said each, and the same request with some of them left out.

For rules that take words out of prompts. All bytes of what stays are the caller's.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from modicum.providers.body_parsing import UNREADABLE
from modicum.providers.fields import listed, mapping, text

_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])
_raws = msgspec.json.Decoder(list[msgspec.Raw])
_decode = msgspec.json.Decoder().decode

GO_ON = "(no new message)"
"""What takes the place of a last message that goes out, where a prompt may not end with the model's own words."""


class Unit(NamedTuple):
    """A message, or one block of an Anthropic message."""

    message: int
    block: int | None
    role: str
    """`system`, `user`, `assistant` or `tool` (results)."""
    name: str
    """Who said it, where the API has a field for it."""
    text: str | None
    """None where it is more than text: tool calls, results, images."""
    links: frozenset[str]
    """Ids of the tool calls that it makes or answers."""


Field = Callable[[str], Any]
"""A field of the request, decoded; None where it is missing."""


class PromptShape(NamedTuple):
    """Where a dialect's requests have their messages."""

    messages: str
    """The field in which the messages stand."""
    units: Callable[[int, Mapping[str, Any]], Iterator[Unit]]
    """A message's units, by its number."""
    why_no_text: Callable[[Field], str]
    """Why a plain text in reply is not what the caller can take; empty: it is."""
    system: str = ""
    """The field in which the instructions stand, if they have one of their own."""
    linked: Callable[[list[Unit], Sequence[Mapping[str, Any]]], list[Unit]] | None = None
    """The units, with links between those that may not stand alone."""
    ends_with_user: bool = False
    """Whether a prompt may not begin or end with the model's own words."""


class Prompt:
    """A request of one dialect, taken apart.

    Attributes:
        units: in order.
        system: the instructions, as one text.
        answer_fits: whether a plain text in reply is what the caller can take; `why_not` says why it is not.
    """

    def __init__(self, body: bytes, shape: PromptShape) -> None:
        self._shape = shape
        self._fields = _fields.decode(body)
        raw = self._fields.get(shape.messages, msgspec.Raw(b"[]"))
        self._messages: list[msgspec.Raw] = _raws.decode(raw) if bytes(raw).lstrip().startswith(b"[") else []
        decoded = [mapping(_decode(message)) for message in self._messages]
        self.units: list[Unit] = [unit for index, message in enumerate(decoded) for unit in shape.units(index, message)]
        if shape.linked is not None:
            self.units = shape.linked(self.units, decoded)
        told = [unit.text or "" for unit in self.units if unit.role == "system"]
        if own := shape.system and self._fields.get(shape.system):
            told.insert(0, _plain(_decode(own)))
        self.system = "\n".join(told)
        self.why_not = shape.why_no_text(self._field)

    @property
    def answer_fits(self) -> bool:
        return not self.why_not

    @property
    def ends_with_tool_result(self) -> bool:
        """The call goes on with a turn that asked for tools."""
        return bool(self.units) and self.units[-1].role == "tool"

    def with_only(self, kept: Sequence[Unit]) -> bytes | None:
        """The request with these units alone; None where the provider would not take it, or nothing was left to say.

        A prompt that ended with somebody's words and would now end with the model's own gets a last message that says
        that there is none.
        """
        said = [unit for unit in kept if unit.role != "system"]
        before = [unit for unit in self.units if unit.role != "system"]
        if not said or (self._shape.ends_with_user and said[0].role == "assistant" != before[0].role):
            return None
        messages = self._kept_messages(kept)
        if self._shape.ends_with_user and said[-1].role == "assistant" != before[-1].role:
            messages.append(msgspec.Raw(msgspec.json.encode({"role": "user", "content": GO_ON})))
        return msgspec.json.encode({**self._fields, self._shape.messages: messages})

    def _kept_messages(self, kept: Sequence[Unit]) -> list[msgspec.Raw]:
        whole = {unit.message for unit in self.units}
        left: dict[int, set[int | None]] = {}
        for unit in kept:
            left.setdefault(unit.message, set()).add(unit.block)
        messages = []
        for index, message in enumerate(self._messages):
            if index not in whole:
                messages.append(message)
            elif index in left:
                messages.append(message if None in left[index] else _with_blocks(message, left[index]))
        return messages

    def _field(self, name: str) -> Any:
        raw = self._fields.get(name)
        return None if raw is None else _decode(raw)


def prompt_of(shape: PromptShape, body: bytes) -> Prompt | None:
    """The request taken apart; None where its shape is not its dialect's."""
    try:
        return Prompt(body, shape)
    except UNREADABLE:
        return None


def _with_blocks(message: msgspec.Raw, places: set[int | None]) -> msgspec.Raw:
    fields = _fields.decode(message)
    blocks = _raws.decode(fields["content"])
    if len(places) == len(blocks):
        return message
    kept = [block for place, block in enumerate(blocks) if place in places]
    return msgspec.Raw(msgspec.json.encode({**fields, "content": kept}))


def _plain(content: Any) -> str:
    """The text of a content that is a string or a list of parts."""
    if isinstance(content, str):
        return content
    return "\n".join(text(mapping(part).get("text")) for part in listed(content))


def only_text(content: Any) -> str | None:
    """The text of a content that is nothing but text."""
    if content is None or isinstance(content, str):
        return content or ""
    parts = [mapping(part) for part in listed(content)]
    if all(isinstance(part.get("text"), str) for part in parts):
        return "\n".join(part["text"] for part in parts)
    return None


def forced_tool(choice: Any) -> str:
    """Whether the reply must be a tool call: a text would break whoever waits for it."""
    kind = choice if isinstance(choice, str) else mapping(choice).get("type")
    return "" if kind in {None, "auto", "none"} else "it wants a tool call"
