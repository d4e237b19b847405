"""A stream of the Messages API, watched. Source: https://docs.claude.com/en/docs/build-with-claude/streaming."""

import re
from collections.abc import Mapping
from typing import Any, ClassVar

from modicum.providers.anthropic_messages.usage import MAIN_COUNTS, charges_from, tier_from, usage_from
from modicum.providers.body_parsing import error_kind_of, identifier, parse_usage
from modicum.providers.cache_diagnostics import cache_miss_from
from modicum.providers.event_types.unknown_events import stranger
from modicum.providers.fields import mapping, text
from modicum.providers.reply_text import StreamTexts
from modicum.providers.stream import EventTail

KNOWN_TYPES = frozenset(
    [
        "content_block_delta",
        "content_block_start",
        "content_block_stop",
        "error",
        "message_delta",
        "message_start",
        "message_stop",
        "ping",
    ]
)


class MessageTail(EventTail):
    """`message_start` names id and model and counts the input; `message_delta` has the final counts."""

    WORTH_READING: ClassVar = re.compile(rb'"(?:message_(?:start|delta|stop)|error)"')
    STRANGER: ClassVar = stranger(KNOWN_TYPES)
    KNOWN_TYPES: ClassVar = KNOWN_TYPES

    def __init__(self) -> None:
        super().__init__()
        self._counts: dict[str, Any] = {}
        self._cache_miss = ""

    def on_event(self, event: Mapping[str, Any]) -> None:
        kind = event.get("type")
        if kind == "message_start":
            message = mapping(event.get("message"))
            self.reply_id = identifier(message.get("id"))
            self.model = identifier(message.get("model"))
            self._cache_miss = cache_miss_from(message)
            self._count(message.get("usage"))
        elif kind == "message_delta":
            self.finish_reason = identifier(mapping(event.get("delta")).get("stop_reason")) or self.finish_reason
            self._count(event.get("usage"))
            self.usage_final = self.usage is not None and bool(self.finish_reason)
        elif kind == "message_stop":
            self.complete = True
            self.usage_final = self.usage is not None
        elif kind == "error":
            self.error_kind = error_kind_of(event)
            if usage := event.get("usage") or mapping(event.get("error")).get("usage"):
                self._count(usage)
                self.usage_final = self.usage is not None

    def _count(self, usage: Any) -> None:
        """Later counts are cumulative and replace the earlier ones; what they leave out stands."""
        self._counts.update({name: count for name, count in mapping(usage).items() if count is not None})
        self.usage, self.usage_problem = parse_usage(usage_from, self._counts, MAIN_COUNTS)
        self.tier = tier_from(self._counts)
        self.charges = charges_from(self._counts, self.model).with_cache_miss(self._cache_miss)

    def generated_text(self, event: Mapping[str, Any]) -> str:
        block = mapping(event.get("content_block"))
        delta = mapping(event.get("delta"))
        names = ("text", "thinking", "partial_json")
        return text(block.get("name")) + "".join(text(delta.get(name)) for name in names)


STREAM_TEXTS = StreamTexts(
    is_piece=lambda event: event.get("type") == "content_block_delta",
    is_end=lambda event: event.get("type") in {"content_block_stop", "message_delta", "message_stop", "error"},
)
