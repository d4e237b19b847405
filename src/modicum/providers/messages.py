"""A request message by message, with what tells who said each, and the same request with some of them left out.

For rules that take words out of prompts. All bytes of what stays are the caller's. Chat completions, the Messages API
and responses are known; of other dialects there is no `Prompt`.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from modicum.providers.bodies import UNREADABLE
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


class Prompt:
    """A request of one dialect, taken apart.

    Attributes:
        units: in order.
        system: the instructions, as one text.
        answer_fits: whether a plain text in reply is what the caller can take; `why_not` says why it is not.
    """

    def __init__(self, body: bytes, dialect: str) -> None:
        shape = _SHAPES[dialect]
        self._dialect, self._place = dialect, shape.place
        self._fields = _fields.decode(body)
        raw = self._fields.get(shape.place, msgspec.Raw(b"[]"))
        self._messages: list[msgspec.Raw] = _raws.decode(raw) if bytes(raw).lstrip().startswith(b"[") else []
        decoded = [mapping(_decode(message)) for message in self._messages]
        self.units: list[Unit] = [unit for index, message in enumerate(decoded) for unit in shape.units(index, message)]
        if dialect == "openai-responses":
            self.units = _with_reasoning(self.units, decoded)
        told = [unit.text or "" for unit in self.units if unit.role == "system"]
        if own := shape.system and self._fields.get(shape.system):
            told.insert(0, _plain(_decode(own)))
        self.system = "\n".join(told)
        self.why_not = shape.why_not(self._field)

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
        if not said or (self._dialect == "anthropic-messages" and said[0].role == "assistant" != before[0].role):
            return None
        messages = self._kept_messages(kept)
        if self._dialect == "anthropic-messages" and said[-1].role == "assistant" != before[-1].role:
            messages.append(msgspec.Raw(msgspec.json.encode({"role": "user", "content": GO_ON})))
        return msgspec.json.encode({**self._fields, self._place: messages})

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


def prompt_of(dialect: str, body: bytes) -> Prompt | None:
    """The request taken apart; None where its dialect is none of these, or its shape is not its dialect's."""
    if dialect not in _SHAPES:
        return None
    try:
        return Prompt(body, dialect)
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


def _only_text(content: Any) -> str | None:
    """The text of a content that is nothing but text."""
    if content is None or isinstance(content, str):
        return content or ""
    parts = [mapping(part) for part in listed(content)]
    if all(isinstance(part.get("text"), str) for part in parts):
        return "\n".join(part["text"] for part in parts)
    return None


def _chat_units(index: int, message: Mapping[str, Any]) -> Iterator[Unit]:
    role = text(message.get("role"))
    calls = [mapping(call) for call in listed(message.get("tool_calls"))]
    links = frozenset(filter(None, [*(text(call.get("id")) for call in calls), text(message.get("tool_call_id"))]))
    if role in {"tool", "function"}:
        yield Unit(index, None, "tool", "", None, links)
        return
    role = "system" if role == "developer" else role
    said = None if calls or message.get("function_call") else _only_text(message.get("content"))
    yield Unit(index, None, role, text(message.get("name")), said, links)


def _message_units(index: int, message: Mapping[str, Any]) -> Iterator[Unit]:
    role, content = text(message.get("role")), message.get("content")
    if not isinstance(content, list):
        yield Unit(index, None, role, "", text(content), frozenset())
        return
    for place, block in enumerate(map(mapping, content)):
        link = text(block.get("tool_use_id")) or (text(block.get("id")) if block.get("type") == "tool_use" else "")
        kind = "tool" if block.get("type") == "tool_result" else role
        said = text(block.get("text")) if block.get("type") == "text" else None
        yield Unit(index, place, kind, "", said, frozenset([link] if link else []))


def _response_units(index: int, item: Mapping[str, Any]) -> Iterator[Unit]:
    role = text(item.get("role"))
    if role:
        role = "system" if role == "developer" else role
        yield Unit(index, None, role, "", _only_text(item.get("content")), frozenset())
        return
    kind, link = text(item.get("type")), text(item.get("call_id"))
    role = "tool" if kind.endswith("_output") else "assistant"
    yield Unit(index, None, role, "", None, frozenset([link] if link else []))


def _with_reasoning(units: list[Unit], items: Sequence[Mapping[str, Any]]) -> list[Unit]:
    """A reasoning item may not stand without the item after it: they are linked, as a call and its result are."""
    linked = list(units)
    for place, unit in enumerate(units[:-1]):
        if items[unit.message].get("type") == "reasoning":
            pair = frozenset([f"reasoning {place}"])
            linked[place] = unit._replace(links=unit.links | pair)
            linked[place + 1] = linked[place + 1]._replace(links=linked[place + 1].links | pair)
    return linked


Field = Callable[[str], Any]


def _chat_why_not(field: Field) -> str:
    kind = mapping(field("response_format")).get("type")
    if kind not in {None, "text"}:
        return "it wants structured output"
    if field("logprobs"):
        return "it wants log probabilities"
    if field("audio") or field("modalities") not in (None, ["text"]):
        return "it wants more than text"
    if field("n") not in {None, 1}:
        return "it wants several choices"
    return _forced(field("tool_choice"))


def _forced(choice: Any) -> str:
    """Whether the reply must be a tool call: a text would break whoever waits for it."""
    kind = choice if isinstance(choice, str) else mapping(choice).get("type")
    return "" if kind in {None, "auto", "none"} else "it wants a tool call"


def _message_why_not(field: Field) -> str:
    form = mapping(field("output_config")).get("format") or field("output_format")
    return "it wants structured output" if form else _forced(field("tool_choice"))


def _response_why_not(field: Field) -> str:
    if mapping(mapping(field("text")).get("format")).get("type") not in {None, "text"}:
        return "it wants structured output"
    if field("previous_response_id") or field("conversation"):
        return "its conversation is kept by the provider"
    if field("store") is not False:
        return "its reply is to be kept by the provider (store)"
    return _forced(field("tool_choice"))


class _Shape(NamedTuple):
    place: str
    """The field in which the messages stand."""
    system: str
    """The field in which the instructions stand, if they have one of their own."""
    units: Callable[[int, Mapping[str, Any]], Iterator[Unit]]
    why_not: Callable[[Field], str]


_SHAPES = {
    "openai-chat": _Shape("messages", "", _chat_units, _chat_why_not),
    "anthropic-messages": _Shape("messages", "system", _message_units, _message_why_not),
    "openai-responses": _Shape("input", "instructions", _response_units, _response_why_not),
}
