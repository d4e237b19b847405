"""Chat completions, as OpenAI and the many who speak like it serve them.

A stream holds usage only if asked for (`stream_options.include_usage`); then it stands in one more chunk without
choices, and some hosts put it elsewhere: into the last chunk with choices (OpenRouter, vLLM on request in every one),
into a choice (Moonshot), under `x_groq` (Groq). Sources:
https://platform.openai.com/docs/api-reference/chat/create, https://platform.openai.com/docs/api-reference/chat-streaming,
https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html, https://console.groq.com/docs/api-reference,
https://platform.moonshot.ai/docs/api/chat.
"""

import re
from collections.abc import Mapping
from typing import Any, ClassVar

import msgspec

from modicum.providers import openai
from modicum.providers.blocks import Block
from modicum.providers.bodies import (
    UNREADABLE,
    asked,
    asked_object,
    counted,
    encoded,
    error_kind_of,
    model_named,
    output_of,
    session_of,
    texts_of,
    unreadable,
    word,
)
from modicum.providers.dialect import ReplyFacts, RequestFacts
from modicum.providers.fields import listed, mapping, text
from modicum.providers.message_blocks import message_blocks
from modicum.providers.openai_errors import error_body, error_object
from modicum.providers.stream import EventTail


class _StreamOptions(msgspec.Struct):
    include_usage: bool | None = None


class _Request(msgspec.Struct):
    model: str | None = None
    stream: bool | None = None
    stream_options: _StreamOptions | None = None
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    n: int | None = None
    user: str | None = None
    safety_identifier: str | None = None
    prompt_cache_key: str | None = None
    session_id: str | None = None
    metadata: Any = None


class _Choice(msgspec.Struct):
    finish_reason: Any = None
    message: msgspec.Raw = msgspec.Raw(b"null")
    usage: Any = None


class _Reply(msgspec.Struct):
    id: Any = None
    model: Any = None
    usage: Any = None
    service_tier: Any = None
    error: Any = None
    object: Any = None
    type: Any = None
    detail: Any = None
    choices: list[_Choice] | None = None


_request = msgspec.json.Decoder(_Request)
_reply = msgspec.json.Decoder(_Reply)
_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])
_USAGE = re.compile(rb'"usage"\s*:\s*\{')
_DEPLOYMENT = re.compile(r"/deployments/([^/?]+)/")


class OpenAIChat:
    """POST /v1/chat/completions; on Azure /openai/deployments/{model}/chat/completions."""

    name = "openai-chat"

    def request(self, body: bytes, path: str) -> RequestFacts:
        told = asked(_request, body)
        model = told.model
        if not model and (deployment := _DEPLOYMENT.search(path)):
            model = deployment[1]
        stream = bool(told.stream)
        options = told.stream_options
        return RequestFacts(
            model=model_named(model),
            stream=stream,
            usage_asked=not stream or (options is not None and bool(options.include_usage)),
            most_output_tokens=told.max_completion_tokens or told.max_tokens,
            choices_count=told.n or 1,
            user=text(told.user or told.safety_identifier),
            session=text(told.session_id) or session_of(told.prompt_cache_key),
            metadata=texts_of(told.metadata) if told.metadata else {},
        )

    def segments(self, body: bytes) -> list[Block]:
        return openai.request_blocks(asked_object(body))

    def with_usage_asked(self, body: bytes) -> bytes:
        """`stream_options.include_usage` put in front, or set where the options stand; the rest as it was."""
        start = body.find(b"{") + 1
        if start and b'"stream_options"' not in body:
            return b'%b"stream_options":{"include_usage":true},%b' % (body[:start], body[start:])
        fields = asked(_fields, body)
        options = asked_object(bytes(fields["stream_options"])) if _is_object(fields.get("stream_options")) else {}
        fields["stream_options"] = msgspec.Raw(encoded({**options, "include_usage": True}))
        return msgspec.json.encode(fields)

    def reply(self, body: bytes) -> ReplyFacts:
        try:
            told = _reply.decode(body)
        except UNREADABLE:
            return _error_or_garbage(body)
        choices = told.choices or []
        usage, problem = counted(openai.usage_from, told.usage or next((c.usage for c in choices if c.usage), None))
        made, made_size = ("", 0) if usage else output_of(_message_blocks(choices))
        return ReplyFacts(
            reply_id=word(told.id),
            model=word(told.model),
            usage=usage,
            usage_final=usage is not None,
            tier=openai.tier_from({"service_tier": told.service_tier}),
            finish_reason=word(choices[0].finish_reason) if choices else "",
            complete=bool(choices),
            error_kind=_error_kind(told),
            output_text=made,
            output_chars=made_size,
            problem=problem,
        )

    def tail(self, usage_asked: bool) -> EventTail:
        return ChatTail() if usage_asked else UnaskedChatTail()

    def error(self, status: int, message: str, kind: str) -> bytes:
        return error_body(status, message, kind)

    def error_event(self, status: int, message: str, kind: str) -> bytes:
        return b"data: %b\n\n" % encoded({"error": error_object(status, message, kind)})


def _is_object(raw: msgspec.Raw | None) -> bool:
    return raw is not None and bytes(raw).lstrip().startswith(b"{")


def _message_blocks(choices: list[_Choice]) -> list[Block]:
    blocks = []
    for choice in choices:
        try:
            message = mapping(msgspec.json.decode(choice.message))
        except UNREADABLE:
            continue
        blocks += message_blocks({"role": "assistant", **message})
    return blocks


def _error_kind(told: _Reply) -> str:
    if told.choices:
        return ""
    said = {"error": told.error, "object": told.object, "type": told.type}
    return error_kind_of(said if told.detail is None else {**said, "detail": told.detail})


def _error_or_garbage(body: bytes) -> ReplyFacts:
    """Google's compatible endpoint wraps its errors in a list."""
    try:
        kinds = [error_kind_of(mapping(part)) for part in listed(msgspec.json.decode(body))]
    except UNREADABLE:
        kinds = []
    return ReplyFacts(error_kind=kinds[0]) if any(kinds) else unreadable(body)


class ChatTail(EventTail):
    """Chunks: the first names id and model, the last ones tell finish and usage."""

    WORTH_READING: ClassVar = re.compile(rb'"(?:usage"\s*:\s*\{|finish_reason"\s*:\s*"|error"\s*:)')

    def told(self, event: Mapping[str, Any]) -> None:
        choices = listed(event.get("choices"))
        self.reply_id = self.reply_id or word(event.get("id"))
        self.model = self.model or word(event.get("model"))
        if event.get("service_tier"):
            self.tier = openai.tier_from(event)
        finished = [word(mapping(choice).get("finish_reason")) for choice in choices]
        self.finish_reason = next((reason for reason in finished if reason), self.finish_reason)
        if kind := "" if choices else error_kind_of(event):
            self.error_kind = kind
        usage, problem = counted(openai.usage_from, usage_in(event, choices))
        if usage:
            self.usage = usage
            self.usage_final = not choices or any(finished)
            self.complete = self.complete or (self.usage_final and bool(self.finish_reason))
        self.usage_problem = problem

    def done(self) -> None:
        self.complete = self._begun
        self.usage_final = self.usage is not None

    def said(self, event: Mapping[str, Any]) -> str:
        made = []
        for choice in listed(event.get("choices")):
            delta = mapping(mapping(choice).get("delta"))
            made += [text(delta.get(name)) for name in ("reasoning_content", "reasoning", "content", "refusal")]
            for call in listed(delta.get("tool_calls")):
                function = mapping(mapping(call).get("function"))
                made += [text(function.get("name")), text(function.get("arguments"))]
        return "".join(made)


def usage_in(event: Mapping[str, Any], choices: list[Any]) -> Any:
    if usage := event.get("usage"):
        return usage
    if usage := mapping(event.get("x_groq")).get("usage"):
        return usage
    return next((mapping(choice).get("usage") for choice in choices if mapping(choice).get("usage")), None)


class UnaskedChatTail(ChatTail):
    """Takes out the chunk that holds usage and no choices: the client did not ask for it and may trip over it.

    Usage in a chunk with choices stays: it does no harm, and that chunk's bytes are the provider's. A line is passed on
    when it is whole.
    """

    def __init__(self) -> None:
        super().__init__()
        self._waiting: list[bytes] = []
        self._removing = False

    def feed(self, chunk: bytes) -> bytes:
        super().feed(chunk)
        if chunk.endswith(b"\n") and not self._waiting:
            return self._without_usage(chunk)
        cut = chunk.rfind(b"\n") + 1
        if not cut:
            self._waiting.append(chunk)
            return b""
        whole = b"".join((*self._waiting, chunk[:cut])) if self._waiting else chunk[:cut]
        self._waiting = [chunk[cut:]] if cut < len(chunk) else []
        return self._without_usage(whole)

    def end(self) -> bytes:
        super().end()
        rest = b"".join(self._waiting)
        self._waiting = []
        return self._without_usage(rest)

    def _without_usage(self, lines: bytes) -> bytes:
        if not self._removing and not _USAGE.search(lines):
            return lines
        kept = []
        for line in lines.splitlines(keepends=True):
            if self._removing and not line.strip():
                self._removing = False  # the empty line that ended the chunk taken out
            elif _is_usage_alone(line):
                self._removing = True
            else:
                self._removing = False
                kept.append(line)
        return b"".join(kept)


def _is_usage_alone(line: bytes) -> bool:
    if not line.startswith(b"data:") or not _USAGE.search(line):
        return False
    try:
        event = msgspec.json.decode(line[5:])
    except UNREADABLE:
        return False
    return isinstance(event, dict) and not event.get("choices") and not event.get("error")


DIALECT = OpenAIChat()
