"""An OpenAI chat request as one of Anthropic's Messages API.

Leading system messages become `system`; later ones keep their place (models since Opus 4.8 take them there, older ones
say that they don't). Tool results that follow each other become one user message, as the API wants them. Source:
https://docs.claude.com/en/api/messages, https://docs.claude.com/en/docs/agents-and-tools/tool-use/implement-tool-use.
"""

import re
from collections.abc import Iterable
from typing import Any

import msgspec

from modicum.providers.body_parsing import encode
from modicum.providers.fields import listed, mapping
from modicum.providers.translation import openai_shapes as chat
from modicum.providers.translation.anthropic_options import DEFAULT_OUTPUT_TOKENS, output_and_sampling
from modicum.providers.translation.translation import Translated, decode_request, left_out_names, unsupported

UPSTREAM = "Anthropic messages"

IMAGE_TYPES = {"image/jpeg", "image/png", "image/gif", "image/webp"}

SEARCH_TOOL = "web_search_20250305"

_request = msgspec.json.Decoder(chat.ChatRequest)
_DATA_URL = re.compile(r"data:([\w.+-]+/[\w.+-]+);base64,(.*)", re.DOTALL)
_WEB = ("https://", "http://")
_NO_ID = re.compile(r"[^a-zA-Z0-9_-]")

Json = dict[str, Any]


def request(body: bytes, model: str) -> Translated:
    """A chat completion's request as one of Anthropic messages; see `Translation.request`."""
    left_out: list[str] = []
    source = decode_request(_request, body, UPSTREAM, left_out, chat.OTHERS_FIELDS)
    left_out += _left_out(source)
    system, rest = _leading_system(source.messages)
    bound = source.max_completion_tokens or source.max_tokens
    wire: Json = {
        "model": model,
        "max_tokens": bound or DEFAULT_OUTPUT_TOKENS,
        "messages": _messages(rest, left_out),
    }
    if bound is None:
        left_out.append(f"max_tokens set to {DEFAULT_OUTPUT_TOKENS}")
    if system:
        wire["system"] = [part for message in system for part in _whole_message(_texts(message.content), message)]
    if source.stream:
        wire["stream"] = True
    if source.stop:
        stops = [source.stop] if isinstance(source.stop, str) else source.stop
        wire["stop_sequences"] = [stop for stop in stops if stop.strip()]
        if len(wire["stop_sequences"]) < len(stops):
            left_out.append("stop of white space alone")
    if user := source.safety_identifier or source.user:
        wire["metadata"] = {"user_id": user}
    wire |= _tools(source, left_out)
    output_and_sampling(source, wire, left_out)
    custom = frozenset(tool.name for tool in source.tools or () if tool.custom is not None)
    return Translated(encode(wire), left_out_names(left_out), custom)


def _left_out(source: chat.ChatRequest) -> list[str]:
    left_out = []
    for name, harmless in chat.HARMLESS.items():
        value = getattr(source, name)
        if value is None or value in harmless:
            continue
        if name not in chat.ONLY_SAMPLING:
            raise unsupported(f"'{name}' has no counterpart there", UPSTREAM)
        left_out.append(name)
    return left_out + [name for name in chat.HINTS if getattr(source, name) is not None]


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
    last = wire[-1]["content"][-1]
    if wire[-1]["role"] == "assistant" and last["type"] == "text":
        last["text"] = last["text"].rstrip()  # the API refuses words of the model that end with white space
    return wire


def _message(message: chat.Message, left_out: list[str]) -> tuple[str, list[Json]]:
    if isinstance(message, chat.ChatToolMessage):
        result: Json = {"type": "tool_result", "tool_use_id": _NO_ID.sub("_", message.tool_call_id)}
        if content := _parts(message.content, left_out):
            result["content"] = content
        return "user", [_cached(result, message)]
    if isinstance(message, chat.ChatAssistantMessage):
        return "assistant", _whole_message(_assistant_content(message, left_out), message)
    if isinstance(message, chat.ChatUserMessage):
        return "user", _whole_message(_parts(message.content, left_out), message)
    return "system", _whole_message(_texts(message.content), message)


def _whole_message(blocks: list[Json], message: Any) -> list[Json]:
    """The blocks of a message; a mark of the message as a whole stands on its last block."""
    if blocks and message.cache_control and blocks[-1]["type"] not in {"thinking", "redacted_thinking"}:
        blocks[-1].setdefault("cache_control", message.cache_control)
    return blocks


def _assistant_content(message: chat.ChatAssistantMessage, left_out: list[str]) -> list[Json]:
    for name in ("audio", "function_call"):
        if getattr(message, name):
            raise unsupported(f"'{name}' in an assistant message has no counterpart there", UPSTREAM)
    blocks: list[Json] = []
    signed = [block for block in message.thinking_blocks or () if block.get("signature") or block.get("data")]
    if signed:
        blocks = [_without_index(block) for block in signed]
    elif message.reasoning_content or message.reasoning or message.thinking_blocks:
        left_out.append("messages.reasoning_content")  # without its signature no reasoning is taken back
    if isinstance(message.content, list) and not blocks:
        blocks = [
            {"type": "thinking", "thinking": part.thinking, "signature": part.signature}
            for part in message.content
            if isinstance(part, chat.ThinkingPart) and part.signature and isinstance(part.thinking, str)
        ]
    if message.annotations:
        left_out.append("messages.annotations")
    blocks += _texts(message.content)
    if message.refusal:
        blocks.append({"type": "text", "text": message.refusal})
    for call in message.tool_calls or ():
        given = {"input": call.custom.input} if call.custom is not None else chat.arguments_of(call, UPSTREAM)
        used = {"type": "tool_use", "id": _NO_ID.sub("_", call.id), "name": call.name, "input": given}
        blocks.append(_cached(used, call))
    return blocks


def _without_index(block: Json) -> Json:
    return {name: value for name, value in block.items() if name != "index"}


def _texts(content: Any) -> list[Json]:
    if isinstance(content, str):
        return [{"type": "text", "text": content}] if content.strip() else []
    texts = []
    for part in content or ():
        if isinstance(part, chat.ThinkingPart):
            continue
        given = part.refusal if isinstance(part, chat.RefusalPart) else part.text
        if given.strip():
            texts.append(_cached({"type": "text", "text": given}, part))
    return texts


def _parts(content: Any, left_out: list[str]) -> list[Json]:
    if content is None or isinstance(content, str):
        return _texts(content)
    wire: list[Json] = []
    for part in content:
        if isinstance(part, chat.ImagePart):
            if part.image_url.detail not in {None, "auto"}:
                left_out.append("image_url.detail")
            wire.append(_cached({"type": "image", "source": _image(part.image_url.url)}, part))
        elif isinstance(part, chat.FilePart):
            wire.append(_cached(_document(part.file), part))
        elif isinstance(part, chat.SoundPart):
            raise unsupported("'input_audio' has no counterpart there", UPSTREAM)
        else:
            wire += _texts([part])
    return wire


def _image(url: str) -> Json:
    if url.startswith(_WEB):
        return {"type": "url", "url": url}
    found = _DATA_URL.fullmatch(url)
    if not found:
        raise unsupported("an image is neither a web address nor base64 data", UPSTREAM)
    if found[1] not in IMAGE_TYPES:
        raise unsupported(f"it takes no images of type {found[1]}", UPSTREAM)
    return {"type": "base64", "media_type": found[1], "data": found[2]}


def _document(file: chat.File) -> Json:
    title = {"title": file.filename} if file.filename else {}
    address = next((value for value in (file.file_data, file.file_id) if value and value.startswith(_WEB)), "")
    if address:
        return {"type": "document", "source": {"type": "url", "url": address}} | title
    if not file.file_data:
        raise unsupported("a 'file_id' names a file that only OpenAI has; send the file's data", UPSTREAM)
    found = _DATA_URL.fullmatch(file.file_data)
    if not found or found[1] != "application/pdf":
        raise unsupported("it takes files only as base64 data of a PDF or by their web address", UPSTREAM)
    return {"type": "document", "source": {"type": "base64", "media_type": found[1], "data": found[2]}} | title


def _cached(block: Json, part: Any) -> Json:
    """The block with the caller's cache breakpoint. OpenAI's times to live (30m, 12h) become the default of 5 minutes,
    which hits renew: a longer one would cost more to write than the caller asked for.
    """
    if control := getattr(part, "cache_control", None):
        block["cache_control"] = control
    elif getattr(part, "prompt_cache_breakpoint", None):
        block["cache_control"] = {"type": "ephemeral"}
    return block


def _tools(source: chat.ChatRequest, left_out: list[str]) -> Json:
    tools = [_tool(tool, left_out) for tool in chat.offered(source)]
    if tools and len(tools) < len(source.tools or ()):
        left_out.append("tools that tool_choice does not allow")
    choice = _tool_choice(source) if tools else {}
    if not tools and (called := _called_before(source.messages)):
        # The API wants the tools of calls that it is shown; of these none may be called now.
        tools, choice = [{"name": name, "input_schema": {"type": "object"}} for name in called], {"type": "none"}
    if source.web_search_options is not None:
        tools.append(_search(source.web_search_options, left_out))
    return ({"tools": tools} if tools else {}) | ({"tool_choice": choice} if choice else {})


def _called_before(messages: Iterable[chat.Message]) -> list[str]:
    names = [
        call.name
        for message in messages
        if isinstance(message, chat.ChatAssistantMessage)
        for call in message.tool_calls or ()
    ]
    return list(dict.fromkeys(names))


def _tool(tool: chat.ChatTool, left_out: list[str]) -> Json:
    if tool.custom is not None:
        described = chat.text_tool(tool.custom)
        if tool.custom.format and tool.custom.format.get("type") not in {None, "text"}:
            left_out.append("tools.custom.format")  # the model reads the grammar, nothing enforces it
        return _cached({"name": tool.custom.name, **described}, tool)
    function = tool.function or chat.Function(name="")
    wire: Json = {
        "name": function.name,
        "input_schema": {"type": "object", "properties": {}} | (function.parameters or {}),
    }
    if function.parameters:
        wire["input_schema"] = function.parameters if "type" in function.parameters else wire["input_schema"]
    if function.description:
        wire["description"] = function.description
    if function.strict:
        wire["strict"] = True
    return _cached(_cached(wire, function), tool)


def _search(options: Json, left_out: list[str]) -> Json:
    wire: Json = {"type": SEARCH_TOOL, "name": "web_search"}
    location = mapping(options.get("user_location"))
    if place := mapping(location.get("approximate")) or {
        name: value for name, value in location.items() if name != "type"
    }:
        wire["user_location"] = {"type": "approximate", **place}
    if domains := listed(mapping(options.get("filters")).get("allowed_domains")):
        wire["allowed_domains"] = domains
    if options.get("search_context_size"):
        left_out.append("web_search_options.search_context_size")
    return wire


def _tool_choice(source: chat.ChatRequest) -> Json:
    choice: Json = {}
    if isinstance(source.tool_choice, chat.NamedTool):
        if source.tool_choice.allowed_tools is not None:
            mode = source.tool_choice.allowed_tools.mode
            choice = {"type": "any" if mode == "required" else mode}
        else:
            named = source.tool_choice.function or source.tool_choice.custom
            choice = {"type": "tool", "name": named.name if named is not None else ""}
    elif source.tool_choice:
        choice = {"type": "any" if source.tool_choice == "required" else source.tool_choice}
    if source.parallel_tool_calls is False and choice.get("type") != "none":
        choice = {"type": "auto", **choice, "disable_parallel_tool_use": True}
    return choice
