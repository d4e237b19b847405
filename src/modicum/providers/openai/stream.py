"""A stream of chunks of a completion, watched; and without the one that came only because we asked.

Source: https://platform.openai.com/docs/api-reference/chat-streaming.
"""

import re
from collections.abc import Mapping
from typing import Any, ClassVar

import msgspec

from modicum.providers.body_parsing import UNREADABLE, error_kind_of, identifier, parse_usage
from modicum.providers.event_stream import PassingBuffer, event_data, whole_events
from modicum.providers.fields import listed, mapping, text
from modicum.providers.openai.usage import MAIN_COUNTS, charges_from, tier_from, usage_from
from modicum.providers.reply_text import StreamTexts, any_has
from modicum.providers.stream import GAP, EventTail

_USAGE = re.compile(rb'"usage"%b:%b\{' % (GAP, GAP))
_FIELDS = (b"data", b"event", b"id", b"retry")
MOST_WAITING = 1 << 20
"""Bytes of an event that wait until it is whole, in case it is to be taken out."""


class ChatTail(EventTail):
    """Chunks: the first names id and model, the last ones tell finish and usage."""

    WORTH_READING: ClassVar = re.compile(
        rb'"(?:usage"%b:%b\{|finish_reason"%b:%b"|error"%b:)' % (GAP, GAP, GAP, GAP, GAP)
    )

    def __init__(self) -> None:
        super().__init__()
        self._unfinished: set[str] = set()
        """Choices that are still being written."""
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
        for choice, reason in zip(choices, finished, strict=True):
            place = identifier(mapping(choice).get("index"))
            (self._unfinished.discard if reason else self._unfinished.add)(place)
        failed = error_kind_in(event, choices)
        self.error_kind = failed or self.error_kind
        # Counts are of all that has passed so far: the last ones stand.
        counts = usage_in(event, choices)
        usage, self.usage_problem = parse_usage(usage_from, counts, MAIN_COUNTS)
        if usage:
            self.usage = usage
            self.charges = charges_from(mapping(counts), lane=self._lane, model=self.model)
            finished_all = bool(self.finish_reason) and not self._unfinished
            self.usage_final = finished_all or bool(failed)
            self.complete = self.complete or finished_all

    def on_done(self) -> None:
        """After an error `[DONE]` ends the stream too, and the reply not as it should."""
        self.complete = self._begun
        self.usage_final = self.usage is not None

    def generated_text(self, event: Mapping[str, Any]) -> str:
        made = []
        for choice in listed(event.get("choices")):
            delta = mapping(mapping(choice).get("delta"))
            made.append(text(mapping(choice).get("text")))  # of completions that are no chat
            made += [text(delta.get(name)) for name in ("reasoning_content", "reasoning", "content", "refusal")]
            for call in listed(delta.get("tool_calls")):
                function = mapping(mapping(call).get("function"))
                made += [text(function.get("name")), text(function.get("arguments"))]
        return "".join(made)


def error_kind_in(event: Mapping[str, Any], choices: list[Any]) -> str:
    """The word for an error of a whole reply or of one chunk. OpenRouter tells it beside a choice that ends so, or in
    it (https://openrouter.ai/docs/api/reference/errors-and-debugging).
    """
    if not choices:
        return error_kind_of(event)
    for place in (event, *map(mapping, choices)):
        if kind := error_kind_of({"error": place.get("error")}):
            return kind
    return "error" if any(mapping(choice).get("finish_reason") == "error" for choice in choices) else ""


def usage_in(event: Mapping[str, Any], choices: list[Any]) -> Any:
    if usage := event.get("usage"):
        return usage
    if usage := mapping(event.get("x_groq")).get("usage"):
        return usage
    in_choices = (mapping(choice).get("usage") for choice in choices)
    return next(filter(None, in_choices), None) or mapping(event.get("error")).get("usage")


class UnaskedChatTail(ChatTail):
    """Takes out the chunk that holds usage and no choices: the client did not ask for it and may trip over it.

    Usage in a chunk with choices stays: it does no harm, and that chunk's bytes are the provider's. An event is passed
    on when it is whole; one that is larger than any usage, as it comes.
    """

    def __init__(self) -> None:
        super().__init__()
        self._passing = PassingBuffer(MOST_WAITING)

    def feed(self, chunk: bytes) -> bytes:
        super().feed(chunk)
        return _without_usage(self._passing.feed(chunk))

    def end(self) -> bytes:
        super().end()
        return _without_usage(self._passing.end())


def _without_usage(events: bytes) -> bytes:
    found = _USAGE.search(events)
    if found is None:
        return events
    before = events.rfind(b"\n\n", 0, found.start()) + 2  # events in front of the first usage need no look
    begin = before if before > 1 else 0
    return events[:begin] + b"".join(map(_without_usage_alone, whole_events(events[begin:])))


def _without_usage_alone(event: bytes) -> bytes:
    """The event; of one that holds usage alone, what is no part of it: comments. What is not one JSON document is taken
    for an event a line.
    """
    if not _USAGE.search(event):
        return event
    lines = event.splitlines(keepends=True)
    is_alone = [_is_usage_alone(document) for document in event_data(event)]
    if is_alone == [True]:
        return b"".join(line for line in lines if line.strip() and not line.startswith(_FIELDS))
    if is_alone != [False]:
        return b"".join(line for line in lines if not (line.startswith(b"data:") and _is_usage_alone(line[5:])))
    return event


def _is_usage_alone(document: bytes) -> bool | None:
    """None: it is no JSON."""
    try:
        chunk = msgspec.json.decode(document)
    except UNREADABLE:
        return None
    is_usage = isinstance(chunk, dict) and isinstance(chunk.get("usage"), dict)
    return is_usage and not chunk.get("choices") and not chunk.get("error")


STREAM_TEXTS = StreamTexts(
    is_piece=lambda event: "choices" in event, is_end=lambda event: any_has(event.get("choices"), "finish_reason")
)
