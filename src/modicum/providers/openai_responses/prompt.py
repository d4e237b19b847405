"""A request of the responses API item by item."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from modicum.providers.fields import mapping, text
from modicum.providers.prompt import Field, PromptShape, Unit, forced_tool, only_text


def _units(index: int, item: Mapping[str, Any]) -> Iterator[Unit]:
    role = text(item.get("role"))
    if role:
        role = "system" if role == "developer" else role
        yield Unit(index, None, role, "", only_text(item.get("content")), frozenset())
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


def _why_no_text(field: Field) -> str:
    if mapping(mapping(field("text")).get("format")).get("type") not in {None, "text"}:
        return "it wants structured output"
    if field("previous_response_id") or field("conversation"):
        return "its conversation is kept by the provider"
    if field("store") is not False:
        return "its reply is to be kept by the provider (store)"
    return forced_tool(field("tool_choice"))


SHAPE = PromptShape("input", _units, _why_no_text, system="instructions", linked=_with_reasoning)
