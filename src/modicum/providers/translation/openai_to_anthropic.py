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

OUTPUT_TOKENS_UNLESS_SAID = 8192
"""The API wants a bound on the reply; a caller who gives none gets this one, and is told."""

EFFORTS = {"minimal": "low", "low": "low", "medium": "medium", "high": "high", "xhigh": "xhigh", "max": "max"}

IMAGE_TYPES = {"image/jpeg", "image/png", "image/gif", "image/webp"}

_request = msgspec.json.Decoder(chat.ChatRequest)
_DATA_URL = re.compile(r"data:([\w.+-]+/[\w.+-]+);base64,(.*)", re.DOTALL)

Json = dict[str, Any]


def request(body: bytes, model: str) -> Translated:
    """See `Translation.request`."""
    asked = decode_request(_request, body, UPSTREAM)
    left_out = _left_out(asked)
    system, rest = _leading_system(asked.messages)
    bound = asked.max_completion_tokens or asked.max_tokens
    if bound is None:
        bound = OUTPUT_TOKENS_UNLESS_SAID
        left_out.append(f"max_tokens set to {bound}")
    wire: Json = {"model": model, "max_tokens": bound, "messages": _messages(rest, left_out)}
    if system:
        wire["system"] = [part for message in system for part in _texts(message.content)]
    if asked.stream:
        wire["stream"] = True
    if asked.temperature is not None:
        if asked.temperature > 1:
            raise unsupported("'temperature' is at most 1 there", UPSTREAM)
        wire["temperature"] = asked.temperature
    if asked.top_p is not None:
        wire["top_p"] = asked.top_p
    if asked.stop:
        wire["stop_sequences"] = [asked.stop] if isinstance(asked.stop, str) else asked.stop
    if user := asked.safety_identifier or asked.user:
        wire["metadata"] = {"user_id": user}
    wire |= _tools(asked) | _output_config(asked)
    return Translated(encode(wire), tuple(dict.fromkeys(left_out)))


def _left_out(asked: chat.ChatRequest) -> list[str]:
    for name, harmless in chat.HARMLESS.items():
        value = getattr(asked, name)
        if value is not None and value not in harmless:
            raise unsupported(f"'{name}' has no counterpart there", UPSTREAM)
    return [name for name in chat.HINTS if getattr(asked, name) is not None]


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
    said = []
    for part in content or ():
        given = part.refusal if isinstance(part, chat.RefusalPart) else part.text
        if given:
            said.append(_cached({"type": "text", "text": given}, part))
    return said


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


def _tools(asked: chat.ChatRequest) -> Json:
    if not asked.tools:
        return {}
    tools = []
    for tool in asked.tools:
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
    choice = _tool_choice(asked)
    return {"tools": tools} | ({"tool_choice": choice} if choice else {})


def _tool_choice(asked: chat.ChatRequest) -> Json:
    choice: Json = {}
    if isinstance(asked.tool_choice, chat.NamedTool):
        choice = {"type": "tool", "name": asked.tool_choice.function.name}
    elif asked.tool_choice:
        choice = {"type": "any" if asked.tool_choice == "required" else asked.tool_choice}
    if asked.parallel_tool_calls is False and choice.get("type") != "none":
        choice = {"type": "auto", **choice, "disable_parallel_tool_use": True}
    return choice


def _output_config(asked: chat.ChatRequest) -> Json:
    wire: Json = {}
    config: Json = {}
    if asked.reasoning_effort == "none":
        wire["thinking"] = {"type": "disabled"}
    elif asked.reasoning_effort:
        config["effort"] = EFFORTS[asked.reasoning_effort]
    form = asked.response_format
    if form and form.type == "json_schema" and form.json_schema and form.json_schema.schema:
        config["format"] = {"type": "json_schema", "schema": form.json_schema.schema}
    elif form and form.type != "text":
        raise unsupported(
            f"'response_format' of type {form.type:.40} without a schema has no counterpart there", UPSTREAM
        )
    return wire | ({"output_config": config} if config else {})
