"""A request of the responses API item by item."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from modicum.calls import SegmentKind
from modicum.providers.fields import forced_tool, mapping, only_text, text
from modicum.providers.openai.last_line import content_with_line
from modicum.providers.prompt import Field, MessagePart, PromptShape

_ROLES = {"system": SegmentKind.SYSTEM, "developer": SegmentKind.SYSTEM, "assistant": SegmentKind.ASSISTANT}


def _parts(item: Mapping[str, Any]) -> Iterator[MessagePart]:
    role = text(item.get("role"))
    if role:
        yield MessagePart(_ROLES.get(role, SegmentKind.USER), only_text(item.get("content")))
        return
    kind, link = text(item.get("type")), text(item.get("call_id"))
    if kind.endswith("_output"):
        yield MessagePart(SegmentKind.TOOL_RESULT, only_text(item.get("output")), answers=link)
    elif kind == "reasoning":
        yield MessagePart(SegmentKind.REASONING)
    else:
        given = item.get("arguments", item.get("input"))
        yield MessagePart(SegmentKind.TOOL_CALL, calls=((link, text(item.get("name")), given),))


def _pairs(items: Sequence[Mapping[str, Any]]) -> Iterator[tuple[int, int]]:
    """A reasoning item may not stand without the item after it."""
    for index, item in enumerate(items[:-1]):
        if item.get("type") == "reasoning":
            yield index, index + 1


def _why_no_text(field: Field) -> str:
    if mapping(mapping(field("text")).get("format")).get("type") not in {None, "text"}:
        return "it wants structured output"
    if field("previous_response_id") or field("conversation"):
        return "its conversation is kept by the provider"
    if field("store") is not False:
        return "its reply is to be kept by the provider (store)"
    return forced_tool(field("tool_choice"))


def _with_line(item: dict[str, msgspec.Raw], line: str, _request: Mapping[str, msgspec.Raw]) -> bool:
    """In a message of the user, or in what a function of the caller's returned; other results have a form of their
    own.
    """
    if "role" in item:
        place = "content" if bytes(item["role"]).strip() == b'"user"' else ""
    else:
        place = "output" if bytes(item.get("type", b"")).strip() in _RETURNED else ""
    content = content_with_line(item.get(place), line, "input_text")
    if content is None:
        return False
    item[place] = content
    return True


_RETURNED = frozenset({b'"function_call_output"', b'"custom_tool_call_output"'})

SHAPE = PromptShape(
    "input",
    _parts,
    _why_no_text,
    system="instructions",
    pairs=_pairs,
    output_caps=("max_output_tokens",),
    effort=("reasoning", "effort"),
    with_line=_with_line,
    cache_key="prompt_cache_key",
    result_marks=(b"_output",),
)
