"""A request of Gemini's generateContent as an OpenAI chat request.

Calls of tools may come without ids, as older clients send them: results then follow their calls by name and order.
Source, 2026-11: https://ai.google.dev/api/generate-content, https://ai.google.dev/api/caching#Content.
"""

from collections import defaultdict, deque
from collections.abc import Mapping
from typing import Any

from modicum.providers.body_parsing import encode, parse_request_object
from modicum.providers.fields import listed, mapping, text
from modicum.providers.translation.gemini_door.fields import Json, camel, field
from modicum.providers.translation.gemini_door.options import UPSTREAM, options, tools
from modicum.providers.translation.gemini_door.signatures import blocks_of
from modicum.providers.translation.translation import Translated, left_out_names, unsupported

_HINTS = ("safetySettings", "labels", "serviceTier", "store")
_READ = frozenset({"contents", "systemInstruction", "tools", "toolConfig", "generationConfig", "model", *_HINTS})
_WEB = ("https://", "http://")
_SOUNDS = {"audio/wav": "wav", "audio/x-wav": "wav", "audio/mp3": "mp3", "audio/mpeg": "mp3"}
_WORDS = frozenset({"output", "result", "content"})
"""The one field of a function's response that is its text, as the official clients write it."""


def request(body: bytes, model: str, bound: str = "max_completion_tokens", *, on_the_way: bool = False) -> Translated:
    """A request of generateContent as a chat completion's; see `Translation.request`.

    Args:
        body: the caller's request.
        model: the upstream's name for it.
        bound: the host's name for the bound on the reply.
        on_the_way: the chat request is for another translation, which takes more than OpenAI.
    """
    left_out: list[str] = []
    source = camel(parse_request_object(body))
    for name, value in source.items():
        if value and name not in _READ:
            raise unsupported(f"'{name[:60]}' has no counterpart there", UPSTREAM)
    left_out += [name for name in _HINTS if source.get(name)]
    messages = _Messages(left_out)
    if content_text := messages.system(mapping(source.get("systemInstruction"))):
        messages.wire.append({"role": "system", "content": content_text})
    for content in map(mapping, listed(source.get("contents"))):
        messages.add(content)
    if all(message["role"] == "system" for message in messages.wire):
        raise unsupported("it needs at least one message of the user", UPSTREAM)
    wire: Json = {"model": model, "messages": messages.wire}
    config = mapping(source.get("generationConfig"))
    wire |= options(config, model, bound, left_out, on_the_way=on_the_way) | tools(source, left_out)
    return Translated(encode(wire), left_out_names(left_out))


class _Messages:
    """Contents as messages, one after the other."""

    def __init__(self, left_out: list[str]) -> None:
        self.wire: list[Json] = []
        self._left_out = left_out
        self._waiting: dict[str, deque[str]] = defaultdict(deque)
        """Ids of calls that have no result yet, by the name of their tool."""
        self._calls = 0

    def system(self, content: Mapping[str, Any]) -> str:
        return "\n\n".join(filter(None, (text(mapping(part).get("text")) for part in listed(content.get("parts")))))

    def add(self, content: Mapping[str, Any]) -> None:
        parts = [camel(mapping(part)) for part in listed(content.get("parts"))]
        if content.get("role") == "model":
            self._add_model(parts)
            return
        given: list[Json] = []
        for part in parts:
            if result := mapping(part.get("functionResponse")):
                given += self._add_result(camel(result))
            elif made := self._user_part(part):
                given.append(made)
        if given:
            words = given[0]["text"] if len(given) == 1 and given[0]["type"] == "text" else given
            self.wire.append({"role": "user", "content": words})

    def _add_model(self, parts: list[Json]) -> None:
        words: list[str] = []
        calls: list[Json] = []
        blocks: list[Json] = []
        for part in parts:
            blocks += blocks_of(text(part.get("thoughtSignature")))
            if called := mapping(part.get("functionCall")):
                calls.append(self._call(called))
            elif part.get("thought") is True:
                self._left_out.append("thought")
            elif content_text := text(part.get("text")):
                words.append(content_text)
            elif others := [name for name in part if name not in {"text", "thoughtSignature"}]:
                self._left_out += [name[:60] for name in others]
        if not words and not calls:
            return
        message: Json = {"role": "assistant", "content": "".join(words) or None}
        if calls:
            message["tool_calls"] = calls
        if blocks:
            message["thinking_blocks"] = blocks
        self.wire.append(message)

    def _call(self, called: Mapping[str, Any]) -> Json:
        name = text(called.get("name"))
        own = text(called.get("id")) or f"call_{self._calls}"
        self._calls += 1
        self._waiting[name].append(own)
        arguments = encode(mapping(called.get("args"))).decode()
        return {"id": own, "type": "function", "function": {"name": name, "arguments": arguments}}

    def _add_result(self, result: Mapping[str, Any]) -> list[Json]:
        """Writes the message of a result; gives the pictures in it, which follow in a message of the user."""
        name, own = text(result.get("name")), text(result.get("id"))
        waiting = self._waiting[name]
        if own in waiting:
            waiting.remove(own)
        elif waiting:
            own = waiting.popleft()
        elif not own:
            raise unsupported(f"the result of '{name[:60]}' answers no call", UPSTREAM)
        response = mapping(result.get("response"))
        only = next(iter(response), "") if len(response) == 1 else ""
        content_text = (
            response[only] if only in _WORDS and isinstance(response[only], str) else encode(response).decode()
        )
        self.wire.append({"role": "tool", "tool_call_id": own, "content": content_text})
        inner = [camel(mapping(part)) for part in listed(result.get("parts"))]
        return [made for part in inner if (made := self._user_part(part))]

    def _user_part(self, part: Mapping[str, Any]) -> Json | None:
        if content_text := text(part.get("text")):
            return {"type": "text", "text": content_text}
        if data := mapping(part.get("inlineData")):
            return _data(text(field(data, "mimeType")), text(data.get("data")))
        if file := mapping(part.get("fileData")):
            return _file(text(field(file, "mimeType")), text(field(file, "fileUri")))
        self._left_out += [name[:60] for name, value in part.items() if value]
        return None


def _data(kind: str, data: str) -> Json:
    plain = data.translate(_STANDARD)
    if kind.startswith("image/"):
        return {"type": "image_url", "image_url": {"url": f"data:{kind};base64,{plain}"}}
    if kind in _SOUNDS:
        return {"type": "input_audio", "input_audio": {"data": plain, "format": _SOUNDS[kind]}}
    if kind.startswith("video/"):
        raise unsupported("videos have no counterpart there", UPSTREAM)
    return {"type": "file", "file": {"filename": "file", "file_data": f"data:{kind};base64,{plain}"}}


_STANDARD = str.maketrans("-_", "+/")
"""Google's clients write base64 in the other alphabet."""


def _file(kind: str, address: str) -> Json:
    if not address.startswith(_WEB) or "generativelanguage.googleapis.com" in address or "youtu" in address:
        raise unsupported("a 'fileUri' names a file that only Google has; send its data", UPSTREAM)
    if kind.startswith("image/"):
        return {"type": "image_url", "image_url": {"url": address}}
    return {"type": "file", "file": {"file_data": address}}
