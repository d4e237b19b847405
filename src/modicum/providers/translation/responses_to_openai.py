"""A request of the responses API as an OpenAI chat request, for models that only other dialects reach.

What the provider itself would have kept (`previous_response_id`, items by reference) is refused: nobody here keeps it.
Source, 2026-11: https://platform.openai.com/docs/api-reference/responses/create.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from modicum.providers.body_parsing import encode
from modicum.providers.fields import listed, mapping, text
from modicum.providers.translation import responses_shapes as responses
from modicum.providers.translation.kept_thinking import opened
from modicum.providers.translation.translation import Translated, decode_request, left_out_names, unsupported

UPSTREAM = "chat completions"

SEARCHES = ("web_search", "web_search_preview")
_SERVER_ITEMS = frozenset({"web_search_call", "file_search_call", "code_interpreter_call", "image_generation_call"})
_CALLS = frozenset({"function_call", "custom_tool_call"})
_RESULTS = frozenset({"function_call_output", "custom_tool_call_output"})

_FUNCTION_FIELDS = ("name", "description", "parameters", "strict")
_CUSTOM_FIELDS = ("name", "description", "format")

_request = msgspec.json.Decoder(responses.ResponsesRequest)

Json = dict[str, Any]


def request(body: bytes, model: str) -> Translated:
    """A response's request as a chat completion's; see `Translation.request`."""
    left_out: list[str] = []
    source = decode_request(_request, body, UPSTREAM, left_out)
    left_out += _left_out(source)
    messages = [{"role": "system", "content": source.instructions}] if source.instructions else []
    messages += _Messages(left_out).of(source.input)
    wire: Json = {"model": model, "messages": messages}
    if source.stream:
        wire |= {"stream": True, "stream_options": {"include_usage": True}}
    for name, value in (
        ("max_completion_tokens", source.max_output_tokens),
        ("temperature", source.temperature),
        ("top_p", source.top_p),
        ("user", source.user),
        ("safety_identifier", source.safety_identifier),
        ("parallel_tool_calls", source.parallel_tool_calls if source.tools else None),
        ("reasoning_effort", source.reasoning.effort if source.reasoning else None),
        ("verbosity", source.text.verbosity if source.text else None),
    ):
        if value is not None:
            wire[name] = value
    if source.text and source.text.format and source.text.format.type != "text":
        wire["response_format"] = _form(source.text.format)
    custom = _add_tools(source, wire, left_out)
    return Translated(encode(wire), left_out_names(left_out), custom)


def _left_out(source: responses.ResponsesRequest) -> list[str]:
    for name, harmless in responses.HARMLESS.items():
        value = getattr(source, name)
        if value is not None and value not in harmless:
            raise unsupported(f"'{name}' has no counterpart there: send the whole conversation as 'input'", UPSTREAM)
    left_out = [name for name in responses.HINTS if getattr(source, name) is not None]
    left_out += ["store"] if source.store else []
    names = [text(name) for name in listed(source.include)]
    return left_out + [f"include {name:.60}" for name in names if name != "reasoning.encrypted_content"]


def _form(form: responses.TextForm) -> Json:
    if form.type != "json_schema":
        return {"type": form.type}
    schema: Json = {"name": form.name or "answer", "schema": form.schema}
    return {"type": "json_schema", "json_schema": schema | ({"strict": form.strict} if form.strict is not None else {})}


class _Messages:
    """Items as messages: what the model thought, said and called in one turn stands in one message."""

    def __init__(self, left_out: list[str]) -> None:
        self._left_out = left_out

    def of(self, items: str | list[Json]) -> list[Json]:
        if isinstance(items, str):
            return [{"role": "user", "content": items}]
        wire: list[Json] = []
        for item in items:
            role, fields = self._message(item)
            if not fields:
                continue
            last = wire[-1] if wire else {}
            if role == "assistant" and last.get("role") == role and not _follows(last, fields):
                for name, value in fields.items():
                    last[name] = [*last.get(name, ()), *value] if isinstance(value, list) else value
            else:
                wire.append({"role": role, **fields})
        return wire

    def _message(self, item: Json) -> tuple[str, Json]:
        kind = text(item.get("type")) or "message"
        if kind == "message":
            role = text(item.get("role")) or "user"
            return role, {"content": _words(item) if role == "assistant" else self._content(item.get("content"))}
        if kind in _CALLS:
            return "assistant", {"tool_calls": [_call(item)]}
        if kind in _RESULTS:
            output = item.get("output")
            content = output if isinstance(output, str) else self._content(output)
            return "tool", {"tool_call_id": text(item.get("call_id")), "content": content}
        if kind == "reasoning":
            blocks = opened(text(item.get("encrypted_content")))
            if not blocks:
                self._left_out.append("reasoning of earlier turns")
            return "assistant", {"thinking_blocks": blocks} if blocks else {}
        if kind in _SERVER_ITEMS:
            self._left_out.append("what the provider's tools did in earlier turns")
            return "assistant", {}
        raise unsupported(f"an item of type '{kind:.40}' has no counterpart there", UPSTREAM)

    def _content(self, content: Any) -> str | list[Json]:
        if isinstance(content, str):
            return content
        parts = [self._part(mapping(part)) for part in listed(content)]
        return parts[0]["text"] if len(parts) == 1 and parts[0]["type"] == "text" else parts

    def _part(self, part: Mapping[str, Any]) -> Json:
        kind = text(part.get("type"))
        if kind in {"input_text", "output_text", "text"}:
            wire: Json = {"type": "text", "text": text(part.get("text"))}
        elif kind == "input_image" and part.get("image_url"):
            detail = {"detail": part["detail"]} if part.get("detail") else {}
            wire = {"type": "image_url", "image_url": {"url": text(part.get("image_url")), **detail}}
        elif kind == "input_file" and (data := part.get("file_data") or part.get("file_url")):
            wire = {"type": "file", "file": {"file_data": text(data)}}
            if part.get("filename"):
                wire["file"]["filename"] = text(part["filename"])
        elif kind == "input_audio":
            wire = {"type": kind, "input_audio": part.get("input_audio")}
        elif kind in {"input_image", "input_file"}:
            raise unsupported("a file by its id is one that only OpenAI has; send its data", UPSTREAM)
        else:
            raise unsupported(f"content of type '{kind:.40}' has no counterpart there", UPSTREAM)
        if isinstance(part.get("prompt_cache_breakpoint"), dict):
            wire["prompt_cache_breakpoint"] = part["prompt_cache_breakpoint"]
        return wire


def _follows(last: Json, fields: Json) -> bool:
    """Whether what the model made is of a turn after the last message: it thinks or speaks after it called."""
    return ("tool_calls" in last and "tool_calls" not in fields) or ("content" in last and "content" in fields)


def _words(item: Json) -> str:
    content = item.get("content")
    if isinstance(content, str):
        return content
    parts = map(mapping, listed(content))
    return "".join(text(part.get("text")) or text(part.get("refusal")) for part in parts)


def _call(item: Json) -> Json:
    head = {"id": text(item.get("call_id"))}
    if item.get("type") == "custom_tool_call":
        return {**head, "type": "custom", "custom": {"name": text(item.get("name")), "input": text(item.get("input"))}}
    function = {"name": text(item.get("name")), "arguments": text(item.get("arguments"))}
    return {**head, "type": "function", "function": function}


def _add_tools(source: responses.ResponsesRequest, wire: Json, left_out: list[str]) -> frozenset[str]:
    """Adds `tools`, `tool_choice` and `web_search_options`; returns the names of tools that take a text."""
    tools: list[Json] = []
    custom: set[str] = set()
    for tool in _flat(source.tools or ()):
        kind = text(tool.get("type"))
        if kind == "function":
            function = {name: tool[name] for name in _FUNCTION_FIELDS if tool.get(name) is not None}
            tools.append({"type": "function", "function": function})
        elif kind == "custom":
            custom.add(text(tool.get("name")))
            tools.append({"type": "custom", "custom": {name: tool[name] for name in _CUSTOM_FIELDS if tool.get(name)}})
        elif kind.startswith(SEARCHES):
            options = {name: tool[name] for name in ("user_location", "filters") if tool.get(name)}
            wire["web_search_options"] = options
            if tool.get("search_context_size"):
                left_out.append("tools.search_context_size")
        else:
            raise unsupported(f"the tool '{kind:.40}' is run by OpenAI", UPSTREAM)
    if tools:
        wire["tools"] = tools
        if (choice := _choice(source.tool_choice)) is not None:
            wire["tool_choice"] = choice
    return frozenset(custom)


def _flat(tools: Any) -> Iterator[Mapping[str, Any]]:
    """The tools, with those of a namespace one by one; a namespace within another is none that is known."""
    for tool in map(mapping, tools):
        if tool.get("type") == "namespace":
            yield from map(mapping, listed(tool.get("tools")))
        else:
            yield tool


def _choice(choice: str | dict[str, Any] | None) -> Any:
    if choice is None or isinstance(choice, str):
        return choice
    kind = text(choice.get("type"))
    if kind in {"function", "custom"}:
        return {"type": kind, kind: {"name": text(choice.get("name"))}}
    if kind == "allowed_tools":
        named = [
            {"type": "function", "function": {"name": text(mapping(tool).get("name"))}}
            for tool in listed(choice.get("tools"))
        ]
        return {"type": kind, "allowed_tools": {"mode": text(choice.get("mode")) or "auto", "tools": named}}
    if kind.startswith(SEARCHES):
        return None
    raise unsupported(f"'tool_choice' of type '{kind:.40}' has no counterpart there", UPSTREAM)
