"""A request of Anthropic's Messages API as an OpenAI chat request.

Cache breakpoints are left out, for OpenAI and its kin cache by themselves; so is reasoning of earlier turns, which they
do not take back. A tool's result is text there: images in it follow in a message of the user. Source:
https://platform.openai.com/docs/api-reference/chat/create.
"""

from collections.abc import Iterable
from typing import Any

import msgspec

from modicum.providers.anthropic_messages.dialect import user_and_session
from modicum.providers.body_parsing import encode
from modicum.providers.fields import listed, mapping, text
from modicum.providers.translation import anthropic_shapes as messages
from modicum.providers.translation.translation import Translated, decode_request, unsupported

UPSTREAM = "OpenAI chat"

MOST_STOP_SEQUENCES = 4
MOST_USER_ID = 64

_request = msgspec.json.Decoder(messages.MessagesRequest)

Json = dict[str, Any]


def request(body: bytes, model: str, bound: str = "max_completion_tokens") -> Translated:
    """A request of Anthropic messages as a chat completion's; see `Translation.request`.

    `bound` is the host's name for the bound on the reply:
    OpenAI's own models since o1 take only `max_completion_tokens`, some hosts (Mistral, old servers) only `max_tokens`.
    """
    source = decode_request(_request, body, UPSTREAM)
    left_out = _left_out(source)
    wire: Json = {"model": model, "messages": _messages(source, left_out), bound: source.max_tokens}
    if source.stream:
        wire |= {"stream": True, "stream_options": {"include_usage": True}}
    if source.temperature is not None:
        wire["temperature"] = source.temperature
    if source.top_p is not None:
        wire["top_p"] = source.top_p
    if source.stop_sequences:
        if len(source.stop_sequences) > MOST_STOP_SEQUENCES:
            raise unsupported(f"it takes at most {MOST_STOP_SEQUENCES} 'stop_sequences'", UPSTREAM)
        wire["stop"] = source.stop_sequences
    if user := (source.metadata or {}).get("user_id"):
        # An agent's account and session are no name that another provider may have.
        is_name = isinstance(user, str) and user_and_session(user) == (user, "")
        if is_name and len(user) <= MOST_USER_ID:
            wire["user"] = user
        else:
            left_out.append("metadata.user_id")
    wire |= _tools(source, left_out) | _output(source)
    return Translated(encode(wire), tuple(dict.fromkeys(left_out)))


def _left_out(source: messages.MessagesRequest) -> list[str]:
    for name, harmless in messages.HARMLESS.items():
        value = getattr(source, name)
        if value is not None and value not in harmless:
            raise unsupported(f"'{name}' has no counterpart there", UPSTREAM)
    left_out = [name for name in messages.HINTS if getattr(source, name) is not None]
    for edit in listed((source.context_management or {}).get("edits")):
        # Clearing old thinking is done anyhow: none is sent.
        if not text(mapping(edit).get("type")).startswith("clear_thinking"):
            raise unsupported("'context_management' has no counterpart there", UPSTREAM)
        left_out.append("context_management")
    return left_out


def _messages(source: messages.MessagesRequest, left_out: list[str]) -> list[Json]:
    wire: list[Json] = []
    if source.system:
        wire.append({"role": "system", "content": _text_content(source.system, left_out)})
    for message in source.messages:
        if isinstance(message, messages.AnthropicAssistantMessage):
            wire.append(_assistant(message, left_out))
        elif isinstance(message, messages.AnthropicSystemMessage):
            wire.append({"role": "system", "content": _text_content(message.content, left_out)})
        else:
            wire += _user(message, left_out)
    return wire


def _text_content(content: str | Iterable[messages.TextBlock], left_out: list[str]) -> str | list[Json]:
    """A string where it was one or where one block says all; else parts."""
    if isinstance(content, str):
        return content
    parts = [_text(block, left_out) for block in content]
    return parts[0]["text"] if len(parts) == 1 else parts


def _text(block: messages.TextBlock, left_out: list[str]) -> Json:
    _note_cache(block, left_out)
    if block.citations:
        left_out.append("citations")
    return {"type": "text", "text": block.text}


def _note_cache(block: Any, left_out: list[str]) -> None:
    if getattr(block, "cache_control", None):
        left_out.append("cache_control")


def _assistant(message: messages.AnthropicAssistantMessage, left_out: list[str]) -> Json:
    if isinstance(message.content, str):
        return {"role": "assistant", "content": message.content}
    texts: list[str] = []
    calls: list[Json] = []
    for block in message.content:
        _note_cache(block, left_out)
        if isinstance(block, messages.TextBlock):
            texts.append(block.text)
        elif isinstance(block, messages.ToolUseBlock):
            function = {"name": block.name, "arguments": encode(block.input).decode()}
            calls.append({"id": block.id, "type": "function", "function": function})
        else:
            left_out.append("thinking of earlier turns")
    wire: Json = {"role": "assistant", "content": "".join(texts) or None}
    if calls:
        wire["tool_calls"] = calls
    elif not texts:
        wire["content"] = ""
    return wire


def _user(message: messages.AnthropicUserMessage, left_out: list[str]) -> list[Json]:
    """Tool results first, each a message of its own; then what the user said."""
    if isinstance(message.content, str):
        return [{"role": "user", "content": message.content}]
    results: list[Json] = []
    parts: list[Json] = []
    for block in message.content:
        _note_cache(block, left_out)
        if isinstance(block, messages.ToolResultBlock):
            result, images = _tool_result(block, left_out)
            results.append(result)
            parts += images
        elif isinstance(block, messages.TextBlock):
            parts.append(_text(block, left_out))
        elif isinstance(block, messages.ImageBlock):
            parts.append(_image(block.source))
        else:
            parts.append(_document(block))
    if len(parts) == 1 and parts[0]["type"] == "text":
        return [*results, {"role": "user", "content": parts[0]["text"]}]
    return [*results, {"role": "user", "content": parts}] if parts else results


def _tool_result(block: messages.ToolResultBlock, left_out: list[str]) -> tuple[Json, list[Json]]:
    if block.is_error:
        left_out.append("tool_result.is_error")
    wire: Json = {"role": "tool", "tool_call_id": block.tool_use_id}
    if block.content is None or isinstance(block.content, str):
        return wire | {"content": block.content or ""}, []
    texts = [part for part in block.content if isinstance(part, messages.TextBlock)]
    images = [_image(part.source) for part in block.content if isinstance(part, messages.ImageBlock)]
    result_text = _text_content(texts, left_out) if texts else ""
    if images:
        result_text = result_text or "The result is the image in the next message."
        images.insert(0, {"type": "text", "text": f"Images of the result of tool call {block.tool_use_id}:"})
    return wire | {"content": result_text}, images


def _image(source: messages.Source) -> Json:
    if source.type == "url" and source.url:
        return {"type": "image_url", "image_url": {"url": source.url}}
    if source.type == "base64" and source.data and source.media_type:
        return {"type": "image_url", "image_url": {"url": f"data:{source.media_type};base64,{source.data}"}}
    raise unsupported("an image must be a web address or base64 data; files of Anthropic's are not there", UPSTREAM)


def _document(block: messages.DocumentBlock) -> Json:
    source = block.source
    if block.context or (block.citations or {}).get("enabled"):
        raise unsupported("'context' and 'citations' of a document have no counterpart there", UPSTREAM)
    if source.type == "text" and source.data is not None:
        return {"type": "text", "text": f"{block.title}\n\n{source.data}" if block.title else source.data}
    if source.type == "base64" and source.data and source.media_type:
        data = f"data:{source.media_type};base64,{source.data}"
        return {"type": "file", "file": {"filename": block.title or "document.pdf", "file_data": data}}
    raise unsupported(f"it takes no documents by {source.type:.20}", UPSTREAM)


def _tools(source: messages.MessagesRequest, left_out: list[str]) -> Json:
    if not source.tools:
        return {}
    tools = []
    for tool in source.tools:
        _note_cache(tool, left_out)
        if tool.type not in {None, "custom"} or tool.input_schema is None:
            raise unsupported(f"the tool '{tool.name:.60}' is run by Anthropic", UPSTREAM)
        if tool.input_examples or tool.defer_loading:
            raise unsupported(
                f"'input_examples' and 'defer_loading' of tool '{tool.name:.60}' have no counterpart", UPSTREAM
            )
        function: Json = {"name": tool.name, "parameters": tool.input_schema}
        if tool.description:
            function["description"] = tool.description
        if tool.strict:
            function["strict"] = True
        tools.append({"type": "function", "function": function})
    wire: Json = {"tools": tools}
    if choice := source.tool_choice:
        if choice.type == "tool":
            wire["tool_choice"] = {"type": "function", "function": {"name": choice.name or ""}}
        else:
            wire["tool_choice"] = "required" if choice.type == "any" else choice.type
        if choice.disable_parallel_tool_use:
            wire["parallel_tool_calls"] = False
    return wire


def _output(source: messages.MessagesRequest) -> Json:
    wire: Json = {}
    config = source.output_config or messages.OutputConfig()
    if config.effort:
        wire["reasoning_effort"] = config.effort
    if config.format:
        schema = config.format.get("schema")
        if config.format.get("type") != "json_schema" or not isinstance(schema, dict):
            raise unsupported("'output_config.format' is of an unknown type", UPSTREAM)
        wire["response_format"] = {
            "type": "json_schema",
            "json_schema": {"name": "reply", "schema": schema, "strict": True},
        }
    return wire
