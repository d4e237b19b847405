"""An OpenAI chat request as one of Gemini's generateContent.

System messages become `systemInstruction`, calls of tools `functionCall` parts, their results `functionResponse` parts
by the tool's name. Sources, 2026-11: https://ai.google.dev/api/generate-content,
https://ai.google.dev/gemini-api/docs/openai, https://ai.google.dev/gemini-api/docs/thought-signatures.
"""

import re
from collections.abc import Iterable
from typing import Any

import msgspec

from modicum.providers.body_parsing import encode
from modicum.providers.fields import mapping, text
from modicum.providers.translation import openai_shapes as chat
from modicum.providers.translation.gemini_options import generation_config
from modicum.providers.translation.thought_signatures import NOBODY_SIGNED, id_and_signature
from modicum.providers.translation.translation import Translated, decode_request, left_out_names, unsupported

UPSTREAM = "Gemini"

_request = msgspec.json.Decoder(chat.ChatRequest)
_DATA_URL = re.compile(r"data:([\w.+-]+/[\w.+-]+);base64,(.*)", re.DOTALL)
_WEB = ("https://", "http://", "gs://")
_KINDS = {
    "png": "image/png",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "gif": "image/gif",
    "webp": "image/webp",
    "pdf": "application/pdf",
    "mp3": "audio/mp3",
    "wav": "audio/wav",
    "mp4": "video/mp4",
    "txt": "text/plain",
}
_UNCOUNTED = (
    "logprobs",
    "top_logprobs",
    "logit_bias",
    "modalities",
    "audio",
    "functions",
    "function_call",
    "moderation",
)
_SIGNS_CALLS = re.compile(r"gemini-(?:[3-9]|\d\d)")

Json = dict[str, Any]


def request(body: bytes, model: str) -> Translated:
    """A chat completion's request as one of generateContent; see `Translation.request`."""
    left_out: list[str] = []
    source = decode_request(_request, body, UPSTREAM, left_out, chat.OTHERS_FIELDS)
    left_out += _left_out(source)
    system = [message for message in source.messages if isinstance(message, _SYSTEM)]
    rest = [message for message in source.messages if not isinstance(message, _SYSTEM)]
    wire: Json = {"contents": _Contents(model, left_out).of(rest)}
    if parts := [part for message in system for part in _texts(message.content)]:
        wire["systemInstruction"] = {"parts": parts}
    if config := generation_config(source, model, left_out):
        wire["generationConfig"] = config
    wire |= _tools(source, left_out)
    custom = frozenset(tool.name for tool in source.tools or () if tool.custom is not None)
    return Translated(encode(wire), left_out_names(left_out), custom)


_SYSTEM = chat.ChatSystemMessage | chat.ChatDeveloperMessage


def _left_out(source: chat.ChatRequest) -> list[str]:
    for name in _UNCOUNTED:
        value = getattr(source, name)
        if value is not None and value not in chat.HARMLESS[name]:
            raise unsupported(f"'{name}' has no counterpart there", UPSTREAM)
    named = [name for name in chat.HINTS if name != "seed" and getattr(source, name) is not None]
    return named + [name for name in ("user", "safety_identifier") if getattr(source, name) is not None]


class _Contents:
    """Messages as contents; neighbours of one role become one."""

    def __init__(self, model: str, left_out: list[str]) -> None:
        self._signs = _SIGNS_CALLS.search(model) is not None
        self._left_out = left_out
        self._names: dict[str, str] = {}
        """Of the tool that each call called, by the call's id."""

    def of(self, messages: Iterable[chat.Message]) -> list[Json]:
        wire: list[Json] = []
        for message in messages:
            if getattr(message, "cache_control", None):
                self._left_out.append("cache_control")
            is_model = isinstance(message, chat.ChatAssistantMessage)
            role, parts = ("model" if is_model else "user"), self._parts(message)
            if not parts:
                continue
            if wire and wire[-1]["role"] == role:
                wire[-1]["parts"] += parts
            else:
                wire.append({"role": role, "parts": parts})
        if not wire:
            raise unsupported("it needs at least one message of the user", UPSTREAM)
        return wire

    def _parts(self, message: chat.Message) -> list[Json]:
        if isinstance(message, chat.ChatToolMessage):
            return self._result(message)
        if isinstance(message, chat.ChatAssistantMessage):
            return self._model_parts(message)
        return self._content(message.content)

    def _content(self, content: Any) -> list[Json]:
        if content is None or isinstance(content, str):
            return _texts(content)
        parts: list[Json] = []
        for part in content:
            if getattr(part, "cache_control", None) or getattr(part, "prompt_cache_breakpoint", None):
                self._left_out.append("cache_control")
            if isinstance(part, chat.ImagePart):
                if part.image_url.detail not in {None, "auto"}:
                    self._left_out.append("image_url.detail")
                parts.append(_blob(part.image_url.url, "image/png"))
            elif isinstance(part, chat.SoundPart):
                kind = f"audio/{part.input_audio.format}"
                parts.append({"inlineData": {"mimeType": kind, "data": part.input_audio.data}})
            elif isinstance(part, chat.FilePart):
                parts.append(_file(part.file))
            else:
                parts += _texts([part])
        return parts

    def _model_parts(self, message: chat.ChatAssistantMessage) -> list[Json]:
        for name in ("audio", "function_call"):
            if getattr(message, name):
                raise unsupported(f"'{name}' in an assistant message has no counterpart there", UPSTREAM)
        if message.thinking_blocks or message.reasoning_content or message.reasoning:
            self._left_out.append("messages.reasoning_content")  # thoughts go back by their signature alone
        parts = _texts(message.content)
        if message.refusal:
            parts.append({"text": message.refusal})
        for place, call in enumerate(message.tool_calls or ()):
            self._names[call.id] = call.name
            given = {"input": call.custom.input} if call.custom is not None else chat.arguments_of(call, UPSTREAM)
            part: Json = {"functionCall": {"name": call.name, "args": given}}
            _, signature = id_and_signature(call.id)
            google = mapping((call.extra_content or {}).get("google"))
            signature = text(google.get("thought_signature")) or signature
            if not signature and self._signs and not place:
                signature = NOBODY_SIGNED
            if signature:
                part["thoughtSignature"] = signature
            parts.append(part)
        return parts

    def _result(self, message: chat.ChatToolMessage) -> list[Json]:
        name = self._names.get(message.tool_call_id) or message.name
        if not name:
            raise unsupported(f"the result of '{message.tool_call_id:.60}' answers no call", UPSTREAM)
        parts = self._content(message.content)
        words = "\n".join(part["text"] for part in parts if "text" in part)
        return [
            {"functionResponse": {"name": name, "response": {"result": words}}},
            *(part for part in parts if "text" not in part),
        ]


def _texts(content: Any) -> list[Json]:
    if isinstance(content, str):
        return [{"text": content}] if content else []
    texts = []
    for part in content or ():
        if not isinstance(part, chat.ThinkingPart):
            given = part.refusal if isinstance(part, chat.RefusalPart) else part.text
            texts += [{"text": given}] if given else []
    return texts


def _blob(url: str, usual: str) -> Json:
    if found := _DATA_URL.fullmatch(url):
        return {"inlineData": {"mimeType": found[1], "data": found[2]}}
    if not url.startswith(_WEB):
        raise unsupported("an image or file is neither a web address nor base64 data", UPSTREAM)
    ending = url.partition("?")[0].rpartition(".")[2].lower()
    return {"fileData": {"mimeType": _KINDS.get(ending, usual), "fileUri": url}}


def _file(file: chat.File) -> Json:
    given = file.file_data or file.file_id or ""
    if not given.startswith(("data:", *_WEB)):
        raise unsupported("a 'file_id' names a file that only OpenAI has; send the file's data", UPSTREAM)
    return _blob(given, file.format or "application/pdf")


def _tools(source: chat.ChatRequest, left_out: list[str]) -> Json:
    offered = chat.offered(source)
    if offered and len(offered) < len(source.tools or ()):
        left_out.append("tools that tool_choice does not allow")
    declared = [_declaration(tool) for tool in offered]
    if any(tool.cache_control or (tool.function and tool.function.cache_control) for tool in offered):
        left_out.append("cache_control")
    wire: Json = {}
    tools: list[Json] = [{"functionDeclarations": declared}] if declared else []
    if source.web_search_options is not None:
        tools.append({"googleSearch": {}})
        left_out += [f"web_search_options.{name}" for name in source.web_search_options if name.isidentifier()]
    if tools:
        wire["tools"] = tools
    if declared and (config := _calling(source)):
        wire["toolConfig"] = {"functionCallingConfig": config}
    if source.parallel_tool_calls is False:
        left_out.append("parallel_tool_calls")
    return wire


def _declaration(tool: chat.ChatTool) -> Json:
    if tool.custom is not None:
        described = chat.text_tool(tool.custom)
        wire: Json = {"name": tool.name, "description": described["description"]}
        return wire | {"parametersJsonSchema": described["input_schema"]}
    function = tool.function or chat.Function(name="")
    wire = {"name": function.name}
    if function.description:
        wire["description"] = function.description
    if function.parameters:
        wire["parametersJsonSchema"] = function.parameters
    return wire


def _calling(source: chat.ChatRequest) -> Json:
    choice = source.tool_choice
    if isinstance(choice, chat.NamedTool):
        if choice.allowed_tools is not None:
            return {"mode": "ANY" if choice.allowed_tools.mode == "required" else "AUTO"}
        named = choice.function or choice.custom
        return {"mode": "ANY", "allowedFunctionNames": [named.name if named is not None else ""]}
    return {"mode": {"none": "NONE", "auto": "AUTO", "required": "ANY"}[choice]} if choice else {}
