"""What late versions of Claude Code write down of the beginning of a context: instruction files, lists, instructions.

Rows of the type `attachment` hold what the client put into a prompt beside what was said. Kinds that are no part of it,
and shapes that are not these, give nothing; what they held is then in the growth that nothing explains.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from modicum.calls import SegmentKind
from modicum.providers.blocks import Block
from modicum.providers.fields import label, listed, mapping, text
from modicum.providers.json_values import decoded

SKILLS, AGENTS, TOOLS = "list of skills", "list of agents", "tools on demand"


def attachment_blocks(raw: msgspec.Raw) -> Iterator[Block]:
    """The parts of a beginning that an attachment holds, each with its name in the place of a tool's."""
    try:
        attachment: Mapping[str, Any] = mapping(decoded(bytes(raw)))
    except (ValueError, RecursionError):
        return
    for name, words in _parts(attachment):
        if words:
            yield Block(SegmentKind.SYSTEM, words, name)


def _parts(attachment: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    match label(attachment.get("type")):
        case "nested_memory":
            yield _file(attachment, mapping(attachment.get("content")))
        case "instructions":
            for one in listed(attachment.get("files")):
                yield _file(mapping(one), mapping(one))
        case "skill_listing":
            yield SKILLS, text(attachment.get("content"))
        case "agent_listing_delta":
            yield AGENTS, _lines(attachment.get("addedLines"))
        case "deferred_tools_delta":
            yield TOOLS, _lines(attachment.get("addedLines")) or _lines(attachment.get("addedNames"))
        case "mcp_instructions_delta":
            names, blocks = listed(attachment.get("addedNames")), listed(attachment.get("addedBlocks"))
            for name, words in zip(names, blocks, strict=False):
                yield f"instructions of {label(name)}", text(words)


def _file(named: Mapping[str, Any], held: Mapping[str, Any]) -> tuple[str, str]:
    return label(named.get("path")) or "instructions", text(held.get("content"))


def _lines(value: Any) -> str:
    return "\n".join(filter(None, map(text, listed(value))))
