"""Recorded messages, as segments: what a model was shown, block by block, without its text.

Knows the bodies of OpenAI (chat and responses), Anthropic, Gemini and Bedrock, and the message parts of OpenTelemetry;
they are told apart block by block, since gateways mix them. The order is the one in which providers lay out a prompt:
tool schemas, system prompt, messages. Nothing here raises for bad data: a block of unknown shape counts as the text it
would be written as.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from modicum.calls import Basis, Segment, SegmentKind
from modicum.importers.format import Reading
from modicum.providers.blocks import canonical
from modicum.providers.fields import label

KINDS_OF_ROLES = {
    "system": SegmentKind.SYSTEM,
    "developer": SegmentKind.SYSTEM,
    "user": SegmentKind.USER,
    "human": SegmentKind.USER,
    "assistant": SegmentKind.ASSISTANT,
    "model": SegmentKind.ASSISTANT,
    "ai": SegmentKind.ASSISTANT,
    "tool": SegmentKind.TOOL_RESULT,
    "function": SegmentKind.TOOL_RESULT,
}
TEXTS = {"text", "input_text", "output_text", "refusal", "summary_text"}
REASONINGS = {"thinking", "redacted_thinking", "reasoning", "reasoning_content"}
TOOL_CALLS = {"tool_use", "server_tool_use", "mcp_tool_use", "tool_call", "function_call", "custom_tool_call"}
TOOL_RESULTS = {
    "tool_result",
    "mcp_tool_result",
    "web_search_tool_result",
    "web_fetch_tool_result",
    "code_execution_tool_result",
    "tool_call_response",
    "function_call_output",
    "custom_tool_call_output",
}
IMAGES = {"image", "image_url", "input_image"}
DOCUMENTS = {"document", "file", "input_file", "search_result", "document_url", "uri", "blob", "binary", "input_audio"}
BARE_BLOCKS = {
    "functionCall": "tool_call",
    "function_call": "tool_call",
    "functionResponse": "tool_result",
    "function_response": "tool_result",
    "toolUse": "tool_call",
    "toolResult": "tool_result",
    "inlineData": "blob",
    "inline_data": "blob",
    "fileData": "file",
    "file_data": "file",
    "image": "image",
    "document": "document",
}
"""Gemini and Bedrock name a block by the key that holds it, and not in a `type`."""


class MessageReader:
    """Turns messages into segments. One reader for a file: a text that comes again is not counted again, and a tool
    result finds the call that it answers, though that stood in another body.
    """

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._seen: dict[tuple[str, SegmentKind, str, bytes, bytes, bool], Segment] = {}
        self._asked: dict[str, tuple[str, bytes]] = {}

    def segments(self, model: str, messages: Any, tools: Any = None, system: Any = None) -> list[Segment]:
        """The whole context of one request: tool schemas, system prompt, messages."""
        return [*self.tool_schemas(model, tools), *self.system(model, system), *self.messages(model, messages)]

    def tool_schemas(self, model: str, tools: Any) -> Iterator[Segment]:
        """One segment a tool, in the shapes of OpenAI, Anthropic, Gemini and Bedrock."""
        for tool in _flat_tools(tools):
            yield self.segment(model, SegmentKind.TOOL_SCHEMA, written(_without_marks(tool)), tool=_tool_name(tool))

    def system(self, model: str, system: Any) -> Iterator[Segment]:
        """A system prompt that stands outside the messages: a text, a list of blocks, or an object with `parts`."""
        yield from self._blocks(model, SegmentKind.SYSTEM, _parts(system))

    def messages(self, model: str, messages: Any) -> Iterator[Segment]:
        """A list of messages, or one text that stands for a user's."""
        for message in _items(messages):
            yield from self.message(model, message)

    def reply(self, model: str, reply: Any) -> Iterator[Segment]:
        """What a model answered: a body of OpenAI, Anthropic or Gemini, or what `messages` takes."""
        if isinstance(reply, Mapping):
            choices = [*_items(reply.get("choices")), *_items(reply.get("candidates"))]
            inner = [
                choice.get("message") or choice.get("content") for choice in choices if isinstance(choice, Mapping)
            ]
            reply = inner or reply.get("output") or reply
        yield from self.messages(model, reply)

    def message(self, model: str, message: Any) -> Iterator[Segment]:
        """One message, or one item of a responses body."""
        if not isinstance(message, Mapping):
            yield from self._blocks(model, SegmentKind.USER, _items(message))
            return
        role = message.get("role")
        if not isinstance(role, str):
            yield from self.block(model, SegmentKind.USER, message)
            return
        kind = KINDS_OF_ROLES.get(role.lower(), SegmentKind.USER)
        thoughts = message.get("reasoning_content") or message.get("reasoning")
        if isinstance(thoughts, str):
            yield from self._text(model, SegmentKind.REASONING, thoughts)
        if kind is SegmentKind.TOOL_RESULT and not any(_is_tool_result(part) for part in _parts(message)):
            yield from self._tool_result(model, message)
            return
        yield from self._blocks(model, kind, _parts(message))
        for call in (*_items(message.get("tool_calls")), *_items(message.get("function_call"))):
            yield from self._tool_call(model, call)

    def block(self, model: str, kind: SegmentKind, block: Any) -> Iterator[Segment]:
        """One content block of a message whose texts are of `kind`."""
        if not isinstance(block, Mapping):
            yield from self._text(model, kind, written(block))
            return
        what, block = _named(block)
        if what in TOOL_CALLS or what.endswith("_shell_call"):
            yield from self._tool_call(model, block)
        elif what in TOOL_RESULTS or what.endswith(("_tool_result", "_call_output")):
            yield from self._tool_result(model, block)
        elif what in IMAGES:
            yield self._picture(model, SegmentKind.IMAGE, block)
        elif what in DOCUMENTS:
            yield from self._document(model, block)
        elif what in REASONINGS or block.get("thought") is True:
            yield from self._text(model, SegmentKind.REASONING, _inner_text(block))
        elif what in TEXTS or "text" in block:
            yield from self._text(model, kind, _inner_text(block))
        elif "role" not in block and ("content" in block or "parts" in block):
            yield from self._blocks(model, kind, _parts(block))
        else:
            yield from self._text(model, kind, written(_without_marks(block)))

    def segment(
        self, model: str, kind: SegmentKind, text: str, *, tool: str = "", detail: bytes = b"", is_error: bool = False
    ) -> Segment:
        """A text as a segment; equal ones are one object."""
        tool = label(tool)
        key = (model, kind, tool, self._reading.digest(text), detail, is_error)
        found = self._seen.get(key)
        if found is None:
            found = Segment(kind, self._count(text, model), key[3], tool, detail, is_error)
            self._seen[key] = found
            self._reading.listener.heard(kind, text, key[3])
        return found

    def _count(self, text: str, model: str) -> int:
        # Programs cut texts inside a surrogate pair, and no tokenizer takes half of one.
        whole = text if text.isascii() else text.encode("utf-8", "replace").decode()
        return self._reading.count(whole, model)

    def _text(self, model: str, kind: SegmentKind, text: str) -> Iterator[Segment]:
        if text:
            yield self.segment(model, kind, text)

    def _blocks(self, model: str, kind: SegmentKind, blocks: Iterable[Any]) -> Iterator[Segment]:
        for block in blocks:
            yield from self.block(model, kind, block)

    def _tool_call(self, model: str, call: Any) -> Iterator[Segment]:
        if not isinstance(call, Mapping):
            yield from self._text(model, SegmentKind.TOOL_CALL, written(call))
            return
        inner = call.get("function")
        wanted = inner if isinstance(inner, Mapping) else call
        name = _own_name(wanted)
        arguments = next((wanted[key] for key in ("arguments", "input", "args", "action") if key in wanted), None)
        # Called the same: whatever the order of the arguments, and whether they came as a text of JSON.
        asked = f"{name}\n{canonical(arguments)}"
        detail = self._reading.digest(asked)
        for identity in _ids(call):
            self._asked[identity] = (name, detail)
        yield self.segment(model, SegmentKind.TOOL_CALL, asked, tool=name, detail=detail)

    def _tool_result(self, model: str, result: Mapping[str, Any]) -> Iterator[Segment]:
        name, detail = next((self._asked[key] for key in _ids(result) if key in self._asked), ("", b""))
        name = name or _own_name(result)
        content = next(
            (result[key] for key in ("content", "parts", "output", "response", "result") if key in result), None
        )
        failed = result.get("is_error") is True or result.get("status") == "error"
        texts, pictures = [], []
        for part in _items(content):
            what, block = _named(part) if isinstance(part, Mapping) else ("", part)
            if what in IMAGES:
                pictures.append(block)
            else:
                texts.append(_inner_text(block) if what in TEXTS or _has_text(block) else written(block))
        text = "\n".join(texts)
        if text or not pictures:
            yield self.segment(model, SegmentKind.TOOL_RESULT, text, tool=name, detail=detail, is_error=failed)
        for picture in pictures:
            yield self._picture(model, SegmentKind.IMAGE, picture)

    def _document(self, model: str, block: Mapping[str, Any]) -> Iterator[Segment]:
        source = block.get("source")
        text = source.get("data") if isinstance(source, Mapping) and source.get("type") == "text" else None
        if not isinstance(text, str):
            text = "\n".join(_inner_text(part) for part in _items(block.get("content")) if _has_text(part))
        if text:
            yield from self._text(model, SegmentKind.DOCUMENT, text)
            return
        marked = f"{block.get('mime_type') or block.get('mimeType') or block.get('media_type')}{block.get('modality')}"
        kind = SegmentKind.IMAGE if "image" in marked else SegmentKind.DOCUMENT
        yield self._picture(model, kind, block)

    def _picture(self, model: str, kind: SegmentKind, block: Any) -> Segment:
        """What has a size in pixels or pages instead of text: nobody counted its tokens."""
        del model
        digest = self._reading.digest(written(_without_marks(block)))
        return Segment(kind, 0, digest, basis=Basis.UNKNOWN)


def cause_of_break(before: Sequence[Segment], after: Sequence[Segment]) -> str:
    """Why `after` keeps less than all of `before`, as far as the first differing segment tells; see `Anatomy`."""
    for mine, theirs in zip(before, after, strict=False):
        if (mine.kind, mine.tool, mine.digest) != (theirs.kind, theirs.tool, theirs.digest):
            kinds = {mine.kind, theirs.kind}
            if SegmentKind.TOOL_SCHEMA in kinds:
                return "tools"
            return "system" if SegmentKind.SYSTEM in kinds else ""
    return ""


def written(value: Any) -> str:
    """A value as the text that a model would be shown: texts as they are, everything else as compact JSON."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)
    except (ValueError, TypeError, RecursionError):  # keys that are no texts, circles, too deep
        return str(type(value).__name__)


def _items(value: Any) -> list[Any]:
    """A list as it is, nothing as an empty one, anything else as a list of itself."""
    if isinstance(value, list | tuple):
        return list(value)
    return [] if value is None or value in ("", {}) else [value]


def _parts(holder: Any) -> list[Any]:
    if isinstance(holder, Mapping):
        inner = next((holder[key] for key in ("content", "parts") if holder.get(key) is not None), None)
        if inner is None and not {"content", "parts", "role"} & set(holder):
            return [holder]
        return _items(inner)
    return _items(holder)


def _named(block: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    """The type of a block, and the object that holds what it says."""
    what = block.get("type")
    if isinstance(what, str):
        return what.replace("-", "_"), block
    for key, name in BARE_BLOCKS.items():
        inner = block.get(key)
        if isinstance(inner, Mapping):
            return name, inner
    return "", block


def _is_tool_result(block: Any) -> bool:
    return isinstance(block, Mapping) and _named(block)[0] in TOOL_RESULTS


def _has_text(block: Any) -> bool:
    return isinstance(block, str) or (isinstance(block, Mapping) and isinstance(block.get("text"), str))


def _inner_text(block: Any) -> str:
    if not isinstance(block, Mapping):
        return written(block)
    for key in ("text", "thinking", "reasoning", "content", "refusal", "summary", "data"):
        inner = block.get(key)
        if isinstance(inner, list):
            return "\n".join(_inner_text(part) if isinstance(part, Mapping) else written(part) for part in inner)
        if inner is not None:
            return written(inner)
    return ""


def _ids(block: Mapping[str, Any]) -> Iterator[str]:
    for key in ("tool_call_id", "tool_use_id", "toolUseId", "toolCallId", "call_id", "id"):
        identity = block.get(key)
        if isinstance(identity, str) and identity:
            yield identity


def _own_name(block: Mapping[str, Any]) -> str:
    return next((block[key] for key in ("name", "toolName") if isinstance(block.get(key), str)), "")


def _without_marks(block: Any) -> Any:
    """Without cache marks, which wander from call to call and are no part of what a model sees."""
    if isinstance(block, Mapping):
        return {key: value for key, value in block.items() if key not in {"cache_control", "cachePoint"}}
    return block


def _flat_tools(tools: Any) -> Iterator[Any]:
    if isinstance(tools, Mapping):
        tools = tools.get("tools", [tools])  # Bedrock's toolConfig
    for tool in _items(tools):
        declared = None
        if isinstance(tool, Mapping):
            declared = tool.get("functionDeclarations") or tool.get("function_declarations")
        yield from _items(declared) if declared else [tool]


def _tool_name(tool: Any) -> str:
    if not isinstance(tool, Mapping):
        return ""
    for holder in (tool.get("function"), tool.get("toolSpec"), tool):
        if isinstance(holder, Mapping) and isinstance(holder.get("name"), str):
            return str(holder["name"])
    return str(tool.get("type")) if isinstance(tool.get("type"), str) else ""
