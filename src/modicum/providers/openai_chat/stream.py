"""A stream of chat chunks, watched; and without the one that came only because we asked.

Source: https://platform.openai.com/docs/api-reference/chat-streaming.
"""

import re
from collections.abc import Mapping
from typing import Any, ClassVar

import msgspec

from modicum.providers.body_parsing import UNREADABLE, error_kind_of, identifier, parse_usage
from modicum.providers.fields import listed, mapping, text
from modicum.providers.openai.usage import MAIN_COUNTS, charges_from, tier_from, usage_from
from modicum.providers.stream import EventTail

_USAGE = re.compile(rb'"usage"\s*:\s*\{')


class ChatTail(EventTail):
    """Chunks: the first names id and model, the last ones tell finish and usage."""

    WORTH_READING: ClassVar = re.compile(rb'"(?:usage"\s*:\s*\{|finish_reason"\s*:\s*"|error"\s*:)')

    def __init__(self) -> None:
        super().__init__()
        self._lane: Any = None

    def on_event(self, event: Mapping[str, Any]) -> None:
        choices = listed(event.get("choices"))
        self.reply_id = self.reply_id or identifier(event.get("id"))
        self.model = self.model or identifier(event.get("model"))
        if event.get("service_tier"):
            self._lane = event["service_tier"]
            self.tier = tier_from(event)
        finished = [identifier(mapping(choice).get("finish_reason")) for choice in choices]
        self.finish_reason = next((reason for reason in finished if reason), self.finish_reason)
        if kind := "" if choices else error_kind_of(event):
            self.error_kind = kind
        counts = usage_in(event, choices)
        usage, problem = parse_usage(usage_from, counts, MAIN_COUNTS)
        if usage:
            self.usage = usage
            self.charges = charges_from(mapping(counts), lane=self._lane, model=self.model)
            self.usage_final = not choices or any(finished)
            self.complete = self.complete or (self.usage_final and bool(self.finish_reason))
        self.usage_problem = problem

    def on_done(self) -> None:
        self.complete = self._begun
        self.usage_final = self.usage is not None

    def generated_text(self, event: Mapping[str, Any]) -> str:
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
