"""Messages, as blocks: what a model was shown, one by one, in the order in which providers lay out a prompt.

Knows the messages of OpenAI (chat and responses), Anthropic, Gemini and Bedrock, and the parts of OpenTelemetry's; they
are told apart block by block, since gateways mix them, and so one conversation is the same in all of them. Nothing
here raises for bad data: a block of unknown shape counts as the text that it would be written as.
"""

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from typing import Any

from modicum.calls import SegmentKind
from modicum.providers.blocks import (
    Block,
    add_mark,
    as_list,
    is_mark,
    mark_of,
    picture,
    schemas,
    tool_call,
    tool_result,
    written,
)
from modicum.providers.fields import mapping, text
from modicum.providers.json_values import decoded

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
    "reasoningContent": "reasoning",
    "inlineData": "blob",
    "inline_data": "blob",
    "fileData": "file",
    "file_data": "file",
    "image": "image",
    "document": "document",
}
"""Gemini and Bedrock name a block by the key that holds it, and not in a `type`."""

_MEDIA = IMAGES | DOCUMENTS
_MEDIA_NAMES = {name for name, what in BARE_BLOCKS.items() if what in _MEDIA}

_TEXT_FIELDS = (
    "text",
    "thinking",
    "reasoning",
    "reasoningText",
    "content",
    "refusal",
    "summary",
    "data",
    "value",
    "encrypted_content",
)
_BILLING_LINE = "x-anthropic-billing-header:"
"""Claude Code's first system block since 2.1.77. The API takes it out before the model sees the prompt; it holds a
checksum of the request, so that no context would begin as the one before it."""


def may_show_media(names: AbstractSet[str], types: Iterable[str]) -> bool:
    """Whether messages may hold a block that is no text. False: they hold none, whatever else they are.

    Args:
        names: of all fields of the request, at whatever depth.
        types: what all its fields `type` say that hold a text.
    """
    return not names.isdisjoint(_MEDIA_NAMES) or any(one.replace("-", "_") in _MEDIA for one in types)


def context_blocks(messages: Any, tools: Any = None, system: Any = None) -> list[Block]:
    """The whole context of one request: tool schemas, system prompt, messages."""
    return [*schemas(tools), *system_blocks(system), *messages_blocks(messages)]


def system_blocks(system: Any) -> list[Block]:
    """A system prompt that stands outside the messages: a text, a list of blocks, or an object with `parts`."""
    return parts_blocks(SegmentKind.SYSTEM, _parts(system))


def messages_blocks(messages: Any) -> list[Block]:
    """A list of messages, or one text that stands for a user's."""
    blocks: list[Block] = []
    for message in as_list(messages):
        blocks += message_blocks(message)
    return blocks


def reply_blocks(reply: Any) -> list[Block]:
    """What a model answered: a body of OpenAI, Anthropic or Gemini, or what `messages_blocks` takes."""
    if not isinstance(reply, Mapping):
        return messages_blocks(reply)
    choices = [*as_list(reply.get("choices")), *as_list(reply.get("candidates"))]
    inner = [mapping(choice).get("message") or mapping(choice).get("content") for choice in choices]
    messages = [{"role": "assistant", **message} if isinstance(message, Mapping) else message for message in inner]
    return messages_blocks(messages or reply.get("output") or reply)


def message_blocks(message: Any) -> list[Block]:
    """One message, or one item of a responses body."""
    if not isinstance(message, Mapping):
        return parts_blocks(SegmentKind.USER, as_list(message))
    role = message.get("role")
    if not isinstance(role, str):
        return [] if not message else block_blocks(SegmentKind.USER, message)
    kind = KINDS_OF_ROLES.get(role.lower(), SegmentKind.USER)
    parts = _parts(message)
    if kind is SegmentKind.TOOL_RESULT and not any(_is_tool_result(part) for part in parts):
        return _tool_result(message)
    blocks = []
    thoughts = message.get("reasoning_content") or message.get("reasoning")
    if isinstance(thoughts, str):
        blocks.append(Block(SegmentKind.REASONING, thoughts))
    blocks += parts_blocks(kind, parts)
    if isinstance(refusal := message.get("refusal"), str) and refusal:
        blocks.append(Block(kind, refusal))
    for call in (*as_list(message.get("tool_calls")), *as_list(message.get("function_call"))):
        blocks += _tool_call(call)
    return blocks


def parts_blocks(kind: SegmentKind, parts: Iterable[Any]) -> list[Block]:
    """The content blocks of a message whose texts are of `kind`."""
    blocks: list[Block] = []
    for part in parts:
        if isinstance(part, str):
            blocks += _text(kind, part)
        elif is_mark(part):
            add_mark(blocks, part)
        else:
            found = block_blocks(kind, part)
            if found and (mark := mark_of(part)):
                found[-1] = found[-1]._replace(mark=mark)
            blocks += found
    return blocks


def block_blocks(kind: SegmentKind, block: Any) -> list[Block]:
    """One content block of a message whose texts are of `kind`: as a rule one, none if it is empty."""
    if not isinstance(block, Mapping):
        return _text(kind, written(block))
    what, block = _named(block)
    if what in TEXTS:
        return _text(kind, _inner_text(block))
    if (found := _no_text(what, block)) is not None:
        return found
    if "text" in block:
        return _text(kind, _inner_text(block))
    if "role" not in block and ("content" in block or "parts" in block):
        return parts_blocks(kind, _parts(block))
    return _text(kind, written(block))


def _no_text(what: str, block: Mapping[str, Any]) -> list[Block] | None:
    """A block that is of the same kind whoever says it; None where it is none such."""
    if what in TOOL_CALLS or what.endswith("_call"):
        return _tool_call(block, what)
    if what in TOOL_RESULTS or what.endswith(("_tool_result", "_output")):
        return _tool_result(block)
    if what in IMAGES:
        return [picture(SegmentKind.IMAGE, block)]
    if what in DOCUMENTS:
        return _document(block)
    if what in REASONINGS or block.get("thought") is True:
        return _text(SegmentKind.REASONING, _inner_text(block))
    return None


def _text(kind: SegmentKind, content: str) -> list[Block]:
    if not content or (kind is SegmentKind.SYSTEM and content.startswith(_BILLING_LINE)):
        return []
    return [Block(kind, content)]


def _tool_call(call: Any, what: str = "") -> list[Block]:
    if not isinstance(call, Mapping):
        return _text(SegmentKind.TOOL_CALL, written(call))
    inner = call.get("function")
    function = inner if isinstance(inner, Mapping) else call
    names = ("arguments", "input", "args", "action", "queries")
    arguments = next((function[name] for name in names if name in function), None)
    own_tool = "" if what in TOOL_CALLS else what.removesuffix("_call")  # local_shell_call, web_search_call, ...
    return [tool_call(_own_name(function) or own_tool, arguments, _call_id(call))]


def _tool_result(result: Mapping[str, Any]) -> list[Block]:
    """The result as one text, and the pictures in it, each a block of its own."""
    names = ("content", "output", "response", "result", "parts", "tools")
    content = next((result[name] for name in names if name in result), None)
    is_error = result.get("is_error") is True or result.get("status") == "error" or _failed(content)
    if isinstance(content, Mapping) and len(content) == 1:  # Gemini's functions answer with an object
        content = next((content[name] for name in ("output", "result", "error") if name in content), content)
    texts, pictures = [], []
    for part in as_list(content):
        what, block = _named(part) if isinstance(part, Mapping) else ("", part)
        if what in IMAGES:
            pictures.append(picture(SegmentKind.IMAGE, block, mark_of(part)))
        elif not is_mark(part):
            texts.append(_inner_text(block) if what in TEXTS or _has_text(block) else written(block))
    result_text = "\n".join(texts)
    found = tool_result(result_text, _call_id(result), tool=_own_name(result), is_error=is_error)
    return [found, *pictures] if result_text or not pictures else pictures


def _failed(output: Any) -> bool:
    """Whether a tool's output says that it failed: a flag, an error, or the exit code that shells report."""
    if isinstance(output, str) and output.startswith("{") and '"exit_code"' in output:
        try:
            output = decoded(output)
        except (ValueError, RecursionError):
            return False
    fields = mapping(output)
    code = mapping(fields.get("metadata")).get("exit_code")
    return fields.get("success") is False or bool(fields.get("error")) or (isinstance(code, int) and code != 0)


def _document(block: Mapping[str, Any]) -> list[Block]:
    source = block.get("source")
    document_text = source.get("data") if isinstance(source, Mapping) and source.get("type") == "text" else None
    if not isinstance(document_text, str):
        document_text = "\n".join(_inner_text(part) for part in as_list(block.get("content")) if _has_text(part))
    if document_text:
        return _text(SegmentKind.DOCUMENT, document_text)
    marked = f"{block.get('mime_type') or block.get('mimeType') or block.get('media_type')}{block.get('modality')}"
    return [picture(SegmentKind.IMAGE if "image" in marked else SegmentKind.DOCUMENT, block)]


def _parts(holder: Any) -> list[Any]:
    if isinstance(holder, Mapping):
        inner = next((holder[key] for key in ("content", "parts") if holder.get(key) is not None), None)
        if inner is None and not {"content", "parts", "role"} & set(holder):
            return [holder]
        return as_list(inner)
    return as_list(holder)


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
    for key in _TEXT_FIELDS:
        inner = block.get(key)
        if isinstance(inner, Mapping):
            inner = inner.get("text", inner)
        if isinstance(inner, list):
            inner = "\n".join(map(_inner_text, inner))
        if inner is not None and inner != "":
            return written(inner)
    return ""


def _call_id(block: Mapping[str, Any]) -> str:
    names = ("tool_call_id", "tool_use_id", "toolUseId", "toolCallId", "call_id", "id")
    return next((found for name in names if (found := text(block.get(name)))), "")


def _own_name(block: Mapping[str, Any]) -> str:
    return next((found for name in ("name", "toolName") if (found := text(block.get(name)))), "")
