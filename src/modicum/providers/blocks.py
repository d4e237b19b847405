"""The blocks of a request or reply, as dialects have them in common: kind and text, before they are measured.

A dialect turns its JSON into blocks; who has the ledger's key and a tokenizer turns these into `Segment`s. Blocks hold
text and are therefore never kept.
"""

import json
from typing import Any, NamedTuple

from modicum.calls import SegmentKind
from modicum.providers.fields import listed, mapping, text
from modicum.providers.json_values import decoded


class Block(NamedTuple):
    kind: SegmentKind
    text: str
    tool: str = ""
    """Name of the tool, for schemas, calls and, where the dialect repeats it, results."""
    call: str = ""
    """What ties a tool call and its result together within one conversation."""
    is_error: bool = False


def canonical(value: Any) -> str:
    """Arguments as one text, the same for the same arguments: keys sorted. A string that holds JSON counts as that."""
    if isinstance(value, str):
        try:
            value = decoded(value)
        except (ValueError, RecursionError):
            return str(value)
    try:
        return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    except (ValueError, TypeError, RecursionError):
        return str(value)


def plain(content: Any) -> str:
    """The text of a content that is a string, a part with `text`, or a list of either; other parts as their JSON."""
    if isinstance(content, list):
        return "\n".join(_said(part) for part in content)
    return _said(content)


def _said(part: Any) -> str:
    if part is None:
        return ""
    if isinstance(part, str):
        return part
    said = mapping(part).get("text")
    return said if isinstance(said, str) else canonical(part)


def schemas(tools: Any) -> list[Block]:
    """One block per tool schema, in order. OpenAI nests name and parameters under `function`."""
    blocks = []
    for tool in listed(tools):
        inner = mapping(mapping(tool).get("function")) or mapping(tool)
        name = inner.get("name") or inner.get("type")
        blocks.append(Block(SegmentKind.TOOL_SCHEMA, canonical(tool), text(name)))
    return blocks


def tool_call(name: Any, arguments: Any, call: Any) -> Block:
    return Block(SegmentKind.TOOL_CALL, canonical(arguments), text(name), text(call))


def tool_result(content: Any, call: Any, *, tool: Any = "", is_error: bool = False) -> Block:
    return Block(SegmentKind.TOOL_RESULT, plain(content), text(tool), text(call), is_error)
