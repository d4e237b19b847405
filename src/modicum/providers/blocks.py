"""The blocks of a request or reply: what readers of every dialect, log and door hand over, before it is measured.

A reader turns its JSON into blocks; `modicum.context.segmenter`, which has the ledger's key and a tokenizer, turns them
into `Segment`s. What two dialects write differently and a model sees alike is made alike here: schemas of tools,
arguments of calls, pictures, places of cache marks. Blocks hold text and are therefore never kept.
"""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from modicum.calls import SegmentKind
from modicum.providers.fields import mapping, text
from modicum.providers.json_values import decoded

MARKS = ("cache_control", "cachePoint", "cache_point")
"""Fields that say up to where a provider is to cache. They wander from call to call, and no model sees them."""
_SCHEMA_PARAMETERS = ("parameters", "input_schema", "parametersJsonSchema", "parameters_json_schema", "inputSchema")


class Block(NamedTuple):
    kind: SegmentKind
    text: str
    """What stands in it; of a tool call its arguments as one text, the same for the same arguments."""
    tool: str = ""
    """Name of the tool, for schemas, calls and, where the dialect repeats it, results."""
    call: str = ""
    """What ties a tool call and its result together within one conversation."""
    is_error: bool = False
    is_text: bool = True
    """Whether `text` is what a model reads. False: it only names pixels or pages, whose tokens nobody can count."""
    mark: str = ""
    """Where the caller asks the provider to cache up to here: what it says of it, as JSON."""

    @property
    def shown(self) -> str:
        """What a model reads of it."""
        return f"{self.tool}\n{self.text}" if self.kind is SegmentKind.TOOL_CALL else self.text


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


def written(value: Any) -> str:
    """A value as the text that a model would be shown: nothing for nothing, texts as they are, all else as JSON."""
    if value is None:
        return ""
    return value if isinstance(value, str) else canonical(unmarked(value))


def unmarked(value: Any) -> Any:
    """The same without marks, at whatever depth."""
    try:
        if isinstance(value, Mapping):
            return {name: unmarked(inner) for name, inner in value.items() if name not in MARKS}
        return [unmarked(inner) for inner in value] if isinstance(value, list | tuple) else value
    except RecursionError:
        return None


def mark_of(part: Any) -> str:
    """What a part says of caching up to it."""
    return next((canonical(part[name]) for name in MARKS if part.get(name)), "") if isinstance(part, Mapping) else ""


def plain(content: Any) -> str:
    """The text of a content that is a string, a part with `text`, or a list of either; other parts as their JSON."""
    if isinstance(content, list):
        return "\n".join(_part_text(part) for part in content)
    return _part_text(content)


def _part_text(part: Any) -> str:
    part_text = mapping(part).get("text")
    return part_text if isinstance(part_text, str) else written(part)


def schemas(tools: Any) -> list[Block]:
    """One block per tool, in order, in the shapes of OpenAI (chat and responses), Anthropic, Gemini and Bedrock."""
    if isinstance(tools, Mapping):
        tools = tools.get("tools", [tools])  # Bedrock's toolConfig
    blocks: list[Block] = []
    for tool in tools if isinstance(tools, list | tuple) else []:
        inner = mapping(tool)
        declared = inner.get("functionDeclarations", inner.get("function_declarations"))
        if is_mark(tool):
            add_mark(blocks, tool)
        elif isinstance(declared, list):
            blocks += map(_schema, declared)
            others = {name: value for name, value in inner.items() if value is not declared}
            blocks += [_schema({name: value}) for name, value in others.items()]
        else:
            blocks.append(_schema(tool))
    return blocks


def _schema(tool: Any) -> Block:
    """A tool as every dialect means it: name, description, parameters, and what else is said of it."""
    outer = mapping(tool)
    inner = mapping(outer.get("function")) or mapping(outer.get("toolSpec")) or outer
    mark = mark_of(outer) or mark_of(inner)
    holder = next((name for name in _SCHEMA_PARAMETERS if inner.get(name)), "")
    parameters = inner.get(holder)
    if holder == "inputSchema":
        parameters = mapping(parameters).get("json", parameters)
    kind = text(inner.get("type"))
    is_own = kind not in {"", "function"} and not (kind == "custom" and holder)
    passed_over = {*_SCHEMA_PARAMETERS, *MARKS, "type"}
    fields = {name: value for name, value in inner.items() if name not in passed_over and value}
    if is_own:
        fields["type"] = kind
    if parameters:
        fields["parameters"] = _lower_types(parameters)
    name = inner.get("name") or kind
    if not name and len(inner) == 1:  # Gemini names a tool of the provider's by its field
        (name,) = inner
        fields = dict(inner)
    return Block(SegmentKind.TOOL_SCHEMA, canonical(fields or tool), text(name), mark=mark)


def _lower_types(schema: Any) -> Any:
    """Gemini's clients write the types of JSON Schema in capitals."""
    if isinstance(schema, Mapping):
        return {
            name: inner.lower() if name == "type" and isinstance(inner, str) else _lower_types(inner)
            for name, inner in schema.items()
        }
    return [_lower_types(inner) for inner in schema] if isinstance(schema, list) else schema


def tool_call(name: Any, arguments: Any, call: Any, mark: str = "") -> Block:
    return Block(SegmentKind.TOOL_CALL, canonical(arguments), text(name), text(call), mark=mark)


def tool_result(content: Any, call: Any, *, tool: Any = "", is_error: bool = False) -> Block:
    return Block(SegmentKind.TOOL_RESULT, plain(content), text(tool), text(call), is_error)


def picture(kind: SegmentKind, part: Any, mark: str = "") -> Block:
    """What has pixels or pages instead of text. Named by its data or address, which every dialect wraps differently."""
    return Block(kind, _source(part) or written(part), is_text=False, mark=mark)


def _source(part: Any) -> str:
    """The data or the address that stands in a part, at whatever depth."""
    if isinstance(part, str):
        return part.partition(";base64,")[2] if part.startswith("data:") else part
    inner = mapping(part)
    for name in _SOURCES:
        if (found := inner.get(name)) and (source := _source(found)):
            return source
    return ""


_SOURCES = (
    *("source", "image_url", "data", "bytes", "url", "inlineData", "fileData", "file", "file_data", "fileUri"),
    *("file_url", "uri", "file_id", "content"),
)


def is_mark(part: Any) -> bool:
    """Whether a part is nothing but a mark, as on Bedrock."""
    return isinstance(part, Mapping) and len(part) == 1 and next(iter(part)) in MARKS


def add_mark(blocks: list[Block], part: Any) -> None:
    """Sets the mark on the block before it."""
    if blocks:
        blocks[-1] = blocks[-1]._replace(mark=mark_of(part) or "{}")


def as_list(value: Any) -> list[Any]:
    """A list as it is, nothing as an empty one, anything else as a list of itself."""
    if isinstance(value, list | tuple):
        return list(value)
    return [] if value is None or value in ("", {}) else [value]
