"""An OpenAI chat request as one of Anthropic's Messages API.

Leading system messages become `system`; later ones keep their place (models since Opus 4.8 take them there, older ones
say that they don't). Tool results that follow each other become one user message, as the API wants them. Source:
https://docs.claude.com/en/api/messages, https://docs.claude.com/en/docs/agents-and-tools/tool-use/implement-tool-use.
"""

import re
from collections.abc import Iterable
from typing import Any

import msgspec

from modicum.providers.body_parsing import UNREADABLE, encode
from modicum.providers.translation import openai_shapes as chat
from modicum.providers.translation.translation import Translated, decode_request, unsupported

UPSTREAM = "Anthropic messages"

DEFAULT_OUTPUT_TOKENS = 8192
"""The API wants a bound on the reply; a caller who gives none gets this one, and is told."""

EFFORTS = {"minimal": "low", "low": "low", "medium": "medium", "high": "high", "xhigh": "xhigh", "max": "max"}

IMAGE_TYPES = {"image/jpeg", "image/png", "image/gif", "image/webp"}

_request = msgspec.json.Decoder(chat.ChatRequest)
_DATA_URL = re.compile(r"data:([\w.+-]+/[\w.+-]+);base64,(.*)", re.DOTALL)

Json = dict[str, Any]


def request(body: bytes, model: str) -> Translated:
    """A chat completion's request as one of Anthropic messages; see `Translation.request`."""
    source = decode_request(_request, body, UPSTREAM)
    left_out = _left_out(source)
    system, rest = _leading_system(source.messages)
    bound = source.max_completion_tokens or source.max_tokens
    if bound is None:
        bound = DEFAULT_OUTPUT_TOKENS
        left_out.append(f"max_tokens set to {bound}")
    wire: Json = {"model": model, "max_tokens": bound, "messages": _messages(rest, left_out)}
    if system:
        wire["system"] = [part for message in system for part in _texts(message.content)]
    if source.stream:
        wire["stream"] = True
    if source.temperature is not None:
        if source.temperature > 1:
            raise unsupported("'temperature' is at most 1 there", UPSTREAM)
        wire["temperature"] = source.temperature
    if source.top_p is not None:
        wire["top_p"] = source.top_p
    if source.stop:
        wire["stop_sequences"] = [source.stop] if isinstance(source.stop, str) else source.stop
    if user := source.safety_identifier or source.user:
        wire["metadata"] = {"user_id": user}
    wire |= _tools(source) | _output_config(source)
    return Translated(encode(wire), tuple(dict.fromkeys(left_out)))


def _left_out(source: chat.ChatRequest) -> list[str]:
    for name, harmless in chat.HARMLESS.items():
        value = getattr(source, name)
        if value is not None and value not in harmless:
            raise unsupported(f"'{name}' has no counterpart there", UPSTREAM)
    return [name for name in chat.HINTS if getattr(source, name) is not None]


def _leading_system(messages: list[chat.Message]) -> tuple[list[Any], list[chat.Message]]:
    count = 0
    while count < len(messages) and isinstance(messages[count], chat.ChatSystemMessage | chat.ChatDeveloperMessage):
        count += 1
    return messages[:count], messages[count:]


def _messages(messages: Iterable[chat.Message], left_out: list[str]) -> list[Json]:
    """Messages in order; neighbours of one role become one, so that all results of a turn stand together."""
    wire: list[Json] = []
    for message in messages:
        if getattr(message, "name", None) and not isinstance(message, chat.ChatToolMessage):
            left_out.append("messages.name")
        role, content = _message(message, left_out)
        if not content:
            continue  # an empty message says nothing, and the API takes none
        if wire and wire[-1]["role"] == role:
            wire[-1]["content"] += content
        else:
            wire.append({"role": role, "content": content})
    if not wire:
        raise unsupported("it needs at least one message of the user", UPSTREAM)
    return wire


def _message(message: chat.Message, left_out: list[str]) -> tuple[str, list[Json]]:
    if isinstance(message, chat.ChatToolMessage):
        result: Json = {"type": "tool_result", "tool_use_id": message.tool_call_id}
        if content := _parts(message.content, left_out):
            result["content"] = content
        return "user", [_cached(result, message)]
    if isinstance(message, chat.ChatAssistantMessage):
        return "assistant", _assistant_content(message, left_out)
    if isinstance(message, chat.ChatUserMessage):
        return "user", _parts(message.content, left_out)
    return "system", _texts(message.content)


def _assistant_content(message: chat.ChatAssistantMessage, left_out: list[str]) -> list[Json]:
    for name in ("audio", "function_call"):
        if getattr(message, name):
            raise unsupported(f"'{name}' in an assistant message has no counterpart there", UPSTREAM)
    if message.thinking_blocks:
        blocks = [_without_index(block) for block in message.thinking_blocks]
    else:
        blocks = []
        if message.reasoning_content or message.reasoning:
            left_out.append("messages.reasoning_content")  # without its signature no reasoning is taken back
    blocks += _texts(message.content)
    if message.refusal:
        blocks.append({"type": "text", "text": message.refusal})
    for call in message.tool_calls or ():
        used = {"type": "tool_use", "id": call.id, "name": call.function.name, "input": _arguments(call.function)}
        blocks.append(_cached(used, call))
    return blocks


def _without_index(block: Json) -> Json:
    return {name: value for name, value in block.items() if name != "index"}


def _arguments(function: chat.CalledFunction) -> Json:
    try:
        given = msgspec.json.decode(function.arguments or "{}")
    except UNREADABLE:
        given = None
    if not isinstance(given, dict):
        raise unsupported(f"the arguments of a call of '{function.name}' are no JSON object", UPSTREAM)
    return given


def _texts(content: Any) -> list[Json]:
    if isinstance(content, str):
        return [{"type": "text", "text": content}] if content else []
    texts = []
    for part in content or ():
        given = part.refusal if isinstance(part, chat.RefusalPart) else part.text
        if given:
            texts.append(_cached({"type": "text", "text": given}, part))
    return texts


def _parts(content: Any, left_out: list[str]) -> list[Json]:
    if isinstance(content, str):
        return _texts(content)
    wire: list[Json] = []
    for part in content:
        if isinstance(part, chat.ImagePart):
            if part.image_url.detail not in {None, "auto"}:
                left_out.append("image_url.detail")
            wire.append(_cached({"type": "image", "source": _image(part.image_url.url)}, part))
        elif isinstance(part, chat.FilePart):
            wire.append(_cached(_document(part.file), part))
        else:
            wire += _texts([part])
    return wire


def _image(url: str) -> Json:
    if url.startswith(("https://", "http://")):
        return {"type": "url", "url": url}
    found = _DATA_URL.fullmatch(url)
    if not found:
        raise unsupported("an image is neither a web address nor base64 data", UPSTREAM)
    if found[1] not in IMAGE_TYPES:
        raise unsupported(f"it takes no images of type {found[1]}", UPSTREAM)
    return {"type": "base64", "media_type": found[1], "data": found[2]}


def _document(file: chat.File) -> Json:
    if not file.file_data:
        raise unsupported("a 'file_id' names a file that only OpenAI has; send the file's data", UPSTREAM)
    found = _DATA_URL.fullmatch(file.file_data)
    if not found or found[1] != "application/pdf":
        raise unsupported("it takes files only as base64 data of a PDF", UPSTREAM)
    source = {"type": "base64", "media_type": "application/pdf", "data": found[2]}
    return {"type": "document", "source": source} | ({"title": file.filename} if file.filename else {})


def _cached(block: Json, part: Any) -> Json:
    """The block with the caller's cache breakpoint. OpenAI's times to live (30m, 12h) become the default of 5 minutes,
    which hits renew: a longer one would cost more to write than the caller asked for.
    """
    if control := getattr(part, "cache_control", None):
        block["cache_control"] = control
    elif getattr(part, "prompt_cache_breakpoint", None):
        block["cache_control"] = {"type": "ephemeral"}
    return block


def _tools(source: chat.ChatRequest) -> Json:
    if not source.tools:
        return {}
    tools = []
    for tool in source.tools:
        function = tool.function
        wire: Json = {
            "name": function.name,
            "input_schema": function.parameters or {"type": "object", "properties": {}},
        }
        if function.description:
            wire["description"] = function.description
        if function.strict:
            wire["strict"] = True
        tools.append(_cached(wire, tool))
    choice = _tool_choice(source)
    return {"tools": tools} | ({"tool_choice": choice} if choice else {})


def _tool_choice(source: chat.ChatRequest) -> Json:
    choice: Json = {}
    if isinstance(source.tool_choice, chat.NamedTool):
        choice = {"type": "tool", "name": source.tool_choice.function.name}
    elif source.tool_choice:
        choice = {"type": "any" if source.tool_choice == "required" else source.tool_choice}
    if source.parallel_tool_calls is False and choice.get("type") != "none":
        choice = {"type": "auto", **choice, "disable_parallel_tool_use": True}
    return choice


def _output_config(source: chat.ChatRequest) -> Json:
    wire: Json = {}
    config: Json = {}
    if source.reasoning_effort == "none":
        wire["thinking"] = {"type": "disabled"}
    elif source.reasoning_effort:
        config["effort"] = EFFORTS[source.reasoning_effort]
    form = source.response_format
    if form and form.type == "json_schema" and form.json_schema and form.json_schema.schema:
        config["format"] = {"type": "json_schema", "schema": form.json_schema.schema}
    elif form and form.type != "text":
        raise unsupported(
            f"'response_format' of type {form.type:.40} without a schema has no counterpart there", UPSTREAM
        )
    return wire | ({"output_config": config} if config else {})
