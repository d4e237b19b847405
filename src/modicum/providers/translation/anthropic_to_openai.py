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
from modicum.providers.translation import anthropic_shapes as messages
from modicum.providers.translation.anthropic_tools import tools_and_choice
from modicum.providers.translation.openai_models import effort_for_budget
from modicum.providers.translation.translation import Translated, decode_request, left_out_names, unsupported

UPSTREAM = "OpenAI chat"

MOST_STOP_SEQUENCES = 4
MOST_USER_ID = 64

_request = msgspec.json.Decoder(messages.MessagesRequest)

Json = dict[str, Any]


def request(body: bytes, model: str, bound: str = "max_completion_tokens", *, on_the_way: bool = False) -> Translated:
    """A request of Anthropic messages as a chat completion's; see `Translation.request`.

    Args:
        body: the caller's request.
        model: the upstream's name for it.
        bound: the host's name for the bound on the reply: OpenAI's own models since o1 take only
            `max_completion_tokens`, some hosts (Mistral, old servers) only `max_tokens`.
        on_the_way: the chat request is not for OpenAI but for another translation: it may hold what OpenAI refuses and
            that one takes (`thinking`, `top_k`, documents by address).
    """
    left_out: list[str] = []
    source = decode_request(_request, body, UPSTREAM, left_out)
    left_out += _left_out(source)
    wire: Json = {"model": model, "messages": _messages(source, left_out, on_the_way), bound: source.max_tokens}
    if source.stream:
        wire |= {"stream": True, "stream_options": {"include_usage": True}}
    if source.temperature is not None:
        wire["temperature"] = source.temperature
    if source.top_p is not None:
        wire["top_p"] = source.top_p
    if source.stop_sequences:
        if len(source.stop_sequences) > MOST_STOP_SEQUENCES and not on_the_way:
            raise unsupported(f"it takes at most {MOST_STOP_SEQUENCES} 'stop_sequences'", UPSTREAM)
        wire["stop"] = source.stop_sequences
    if user := (source.metadata or {}).get("user_id"):
        # An agent's account and session are no name that another provider may have.
        is_name = isinstance(user, str) and user_and_session(user) == (user, "")
        if is_name and len(user) <= MOST_USER_ID:
            wire["user"] = user
        else:
            left_out.append("metadata.user_id")
    wire |= tools_and_choice(source, left_out) | _output(source)
    _own_options(source, wire, left_out, on_the_way)
    return Translated(encode(wire), left_out_names(left_out))


def _left_out(source: messages.MessagesRequest) -> list[str]:
    for name, harmless in messages.HARMLESS.items():
        value = getattr(source, name)
        if value is not None and value not in harmless:
            raise unsupported(f"'{name}' has no counterpart there", UPSTREAM)
    return [name for name in messages.HINTS if getattr(source, name) is not None]


def _own_options(source: messages.MessagesRequest, wire: Json, left_out: list[str], on_the_way: bool) -> None:
    """Thinking and `top_k`, which OpenAI does not know by these names."""
    if on_the_way:
        wire |= {name: value for name in ("thinking", "top_k") if (value := getattr(source, name)) is not None}
        return
    if source.top_k is not None:
        left_out.append("top_k")
    if source.thinking is None:
        return
    effort = effort_for_budget(source.thinking, wire["model"])
    if effort and "reasoning_effort" not in wire:
        wire["reasoning_effort"] = effort
    else:
        left_out.append("thinking")


def _messages(source: messages.MessagesRequest, left_out: list[str], on_the_way: bool) -> list[Json]:
    wire: list[Json] = []
    if source.system:
        wire.append({"role": "system", "content": _text_content(source.system, left_out)})
    for message in source.messages:
        if isinstance(message, messages.AnthropicAssistantMessage):
            wire.append(_assistant(message, left_out))
        elif isinstance(message, messages.AnthropicSystemMessage):
            wire.append({"role": "system", "content": _text_content(message.content, left_out)})
        else:
            wire += _user(message, left_out, on_the_way)
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
        elif isinstance(block, messages.CompactionBlock):
            texts.append(block.content or "")
        elif isinstance(block, messages.ToolUseBlock):
            function = {"name": block.name, "arguments": encode(block.input).decode()}
            calls.append({"id": block.id, "type": "function", "function": function})
        elif isinstance(block, messages.ThinkingBlock | messages.RedactedThinkingBlock):
            left_out.append("thinking of earlier turns")
        else:
            left_out.append("what the provider's tools did in earlier turns")
    wire: Json = {"role": "assistant", "content": "".join(texts) or None}
    if calls:
        wire["tool_calls"] = calls
    elif not texts:
        wire["content"] = ""
    return wire


def _user(message: messages.AnthropicUserMessage, left_out: list[str], on_the_way: bool) -> list[Json]:
    """Tool results first, each a message of its own; then what the user said."""
    if isinstance(message.content, str):
        return [{"role": "user", "content": message.content}]
    results: list[Json] = []
    parts: list[Json] = []
    for block in message.content:
        _note_cache(block, left_out)
        if isinstance(block, messages.ToolResultBlock):
            result, more = _tool_result(block, left_out, on_the_way)
            results.append(result)
            parts += more
        else:
            parts.append(_part(block, left_out, on_the_way))
    if len(parts) == 1 and parts[0]["type"] == "text":
        return [*results, {"role": "user", "content": parts[0]["text"]}]
    return [*results, {"role": "user", "content": parts}] if parts else results


def _part(block: Any, left_out: list[str], on_the_way: bool) -> Json:
    if isinstance(block, messages.TextBlock):
        return _text(block, left_out)
    if isinstance(block, messages.ImageBlock):
        return _image(block.source)
    if isinstance(block, messages.SearchResultBlock):
        if block.citations:
            left_out.append("citations")
        return {"type": "text", "text": _search_result(block)}
    if isinstance(block, messages.ToolReferenceBlock):
        return {"type": "text", "text": f"The tool {block.tool_name} is there."}
    return _document(block, left_out, on_the_way)


def _search_result(block: messages.SearchResultBlock) -> str:
    return "\n\n".join([f"{block.title} ({block.source})", *(part.text for part in block.content)])


_IN_RESULTS = messages.TextBlock | messages.SearchResultBlock | messages.ToolReferenceBlock


def _tool_result(
    block: messages.ToolResultBlock,
    left_out: list[str],
    on_the_way: bool,
) -> tuple[Json, list[Json]]:
    """The result, and what of it is no text and has to stand in a message of the user."""
    if block.is_error:
        left_out.append("tool_result.is_error")
    wire: Json = {"role": "tool", "tool_call_id": block.tool_use_id}
    if block.content is None or isinstance(block.content, str):
        return wire | {"content": block.content or ""}, []
    texts = [_part(part, left_out, on_the_way) for part in block.content if isinstance(part, _IN_RESULTS)]
    others = [_part(part, left_out, on_the_way) for part in block.content if not isinstance(part, _IN_RESULTS)]
    content: Any = texts[0]["text"] if len(texts) == 1 else texts or ""
    if others:
        images = all(part["type"] == "image_url" for part in others)
        what = "image" if images else "document"
        content = content or f"The result is the {what} in the next message."
        lead = "Images" if images else "Documents"
        others.insert(0, {"type": "text", "text": f"{lead} of the result of tool call {block.tool_use_id}:"})
    return wire | {"content": content}, others


def _image(source: messages.Source) -> Json:
    if source.type == "url" and source.url:
        return {"type": "image_url", "image_url": {"url": source.url}}
    if source.type == "base64" and source.data and source.media_type:
        return {"type": "image_url", "image_url": {"url": f"data:{source.media_type};base64,{source.data}"}}
    raise unsupported("an image must be a web address or base64 data; files of Anthropic's are not there", UPSTREAM)


def _document(block: messages.DocumentBlock, left_out: list[str], on_the_way: bool) -> Json:
    source = block.source
    if block.context:
        raise unsupported("'context' of a document has no counterpart there", UPSTREAM)
    if (block.citations or {}).get("enabled"):
        left_out.append("citations")
    if source.type == "text" and source.data is not None:
        return {"type": "text", "text": f"{block.title}\n\n{source.data}" if block.title else source.data}
    name = block.title or "document.pdf"
    if source.type == "base64" and source.data and source.media_type:
        data = f"data:{source.media_type};base64,{source.data}"
        return {"type": "file", "file": {"filename": name, "file_data": data}}
    if source.type == "url" and source.url and on_the_way:
        return {"type": "file", "file": {"filename": name, "file_data": source.url}}
    raise unsupported(f"it takes no documents by {source.type:.20}", UPSTREAM)


def _output(source: messages.MessagesRequest) -> Json:
    wire: Json = {}
    config = source.output_config or messages.OutputConfig()
    if config.effort:
        wire["reasoning_effort"] = config.effort
    if form := config.format or source.output_format:
        schema = form.get("schema")
        if form.get("type") != "json_schema" or not isinstance(schema, dict):
            raise unsupported("'output_config.format' is of an unknown type", UPSTREAM)
        wire["response_format"] = {
            "type": "json_schema",
            "json_schema": {"name": "reply", "schema": schema, "strict": True},
        }
    return wire
