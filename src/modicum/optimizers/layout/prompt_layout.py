"""A prompt as data: its parts, and how often each changes: `from modicum import lay_out`.

    prompt = lay_out([rules, {"text": clock, "changes": "call"}, {"title": "Orders", "rows": orders}], question)
    client.messages.create(system=prompt.system, messages=[{"role": "user", "content": prompt.user}], ...)

What changes least stands first, so that calls begin alike and a provider's cache is used; the question stands last;
rows stand as a table, the names of their columns once.
"""

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any, NamedTuple

import msgspec

from modicum.calls import UserError
from modicum.calls.errors import unknown_name
from modicum.optimizers.json_tables import json_with_tables

Part = str | Mapping[str, Any]
"""A text that never changes, or `{"text": ...}` or `{"rows": [...]}`, with `title` and `changes` if there are such."""
_FIELDS = ("text", "rows", "title", "changes")


class PartChange(StrEnum):
    """How often a part is another one."""

    NEVER = "never"
    """The same in all calls of a program."""
    CONVERSATION = "conversation"
    """The same in all calls about one thing: a document, a user."""
    CALL = "call"
    """A clock, what was just looked up."""


class PromptLayout(NamedTuple):
    """A prompt, ready to be sent."""

    system: str
    """What never changes: for the instructions. Empty: there is no such part."""
    user: str
    """What changes, least first, and the question: for the user's message."""
    repeated_characters: int
    """Of both together: those in front of all that changes from call to call, which a cache may hold."""


class _ReadPart(NamedTuple):
    text: str
    changes: PartChange


def lay_out(parts: Iterable[Part], question: str) -> PromptLayout:
    """The parts of a prompt in the order that repeats most of it from call to call, and the question behind them. Parts
    that change equally often keep their order.

    Args:
        parts: texts, which never change, or `{"text": ...}` or `{"rows": [...]}` (objects), each with a `title` and
            `changes` ("never", "conversation" or "call") if you like.
        question: what is to be answered.

    Raises:
        UserError: a part is none of these, or the question is no text.
    """
    if isinstance(parts, (str, bytes, Mapping)) or not isinstance(parts, Iterable):
        raise UserError(f"parts is a list of them, and this is {type(parts).__name__}; put one into [...]")
    if not isinstance(question, str):
        raise UserError(f"a question is a text, and this is {type(question).__name__}")
    by_change: dict[PartChange, list[str]] = {change: [] for change in PartChange}
    for number, part in enumerate(parts, 1):
        text, changes = _read(part, number)
        if text:
            by_change[changes].append(text)
    system = "\n\n".join(by_change[PartChange.NEVER])
    about = "\n\n".join(by_change[PartChange.CONVERSATION])
    user = "\n\n".join(text for text in (about, *by_change[PartChange.CALL], question) if text)
    return PromptLayout(system, user, len(system) + len(about))


def _read(part: object, number: int) -> _ReadPart:
    if isinstance(part, str):
        return _ReadPart(part, PartChange.NEVER)
    if not isinstance(part, Mapping):
        raise UserError(f"part {number} is a text, or has 'text' or 'rows', and this is {type(part).__name__}")
    unknown = next((str(name) for name in part if name not in _FIELDS), None)
    if unknown is not None:
        raise unknown_name(f"field of part {number} called", unknown, _FIELDS)
    title, changes = part.get("title", ""), part.get("changes", PartChange.NEVER)
    if changes not in list(PartChange):
        raise unknown_name(f"value of 'changes' in part {number} called", str(changes), list(PartChange))
    if not isinstance(title, str) or ("text" in part) == ("rows" in part):
        raise UserError(f"part {number} has one of 'text' and 'rows', and its title is a text")
    text = _table(part["rows"], number) if "rows" in part else part["text"]
    if not isinstance(text, str):
        raise UserError(f"the text of part {number} is a text, and this is {type(text).__name__}")
    return _ReadPart(f"[{title}]\n{text}" if title and text else text, PartChange(changes))


def _table(rows: object, number: int) -> str:
    """Rows as JSON, as a table where all have the same keys and that is shorter."""
    if isinstance(rows, (str, bytes, Mapping)) or not isinstance(rows, Sequence):
        raise UserError(f"the rows of part {number} are a list of objects, and this is {type(rows).__name__}")
    try:
        return json_with_tables(msgspec.json.encode(rows).decode())
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise UserError(f"the rows of part {number} cannot be written as JSON: {error}") from None
