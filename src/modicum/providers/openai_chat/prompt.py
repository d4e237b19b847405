"""A chat request message by message."""

from collections.abc import Iterator, Mapping
from typing import Any

from modicum.providers.fields import listed, mapping, text
from modicum.providers.prompt import Field, PromptShape, Unit, forced_tool, only_text


def _units(index: int, message: Mapping[str, Any]) -> Iterator[Unit]:
    role = text(message.get("role"))
    calls = [mapping(call) for call in listed(message.get("tool_calls"))]
    links = frozenset(filter(None, [*(text(call.get("id")) for call in calls), text(message.get("tool_call_id"))]))
    if role in {"tool", "function"}:
        yield Unit(index, None, "tool", "", None, links)
        return
    role = "system" if role == "developer" else role
    said = None if calls or message.get("function_call") else only_text(message.get("content"))
    yield Unit(index, None, role, text(message.get("name")), said, links)


def _why_no_text(field: Field) -> str:
    kind = mapping(field("response_format")).get("type")
    if kind not in {None, "text"}:
        return "it wants structured output"
    if field("logprobs"):
        return "it wants log probabilities"
    if field("audio") or field("modalities") not in (None, ["text"]):
        return "it wants more than text"
    if field("n") not in {None, 1}:
        return "it wants several choices"
    return forced_tool(field("tool_choice"))


SHAPE = PromptShape("messages", _units, _why_no_text)
