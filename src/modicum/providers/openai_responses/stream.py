"""A stream of the responses API, watched. Source: https://platform.openai.com/docs/api-reference/responses-streaming."""

import re
from collections.abc import Mapping
from typing import Any, ClassVar

from modicum.providers.body_parsing import identifier, parse_usage
from modicum.providers.cache_diagnostics import cache_miss_from
from modicum.providers.event_types.unknown_events import stranger
from modicum.providers.fields import mapping, text
from modicum.providers.openai.recorded import finish_reason_from, requests_in
from modicum.providers.openai.usage import MAIN_COUNTS, charges_from, tier_from, usage_from
from modicum.providers.openai_responses.event_types import KNOWN_TYPES
from modicum.providers.reply_text import StreamTexts
from modicum.providers.stream import GAP, EventTail

_LAST = {"response.completed", "response.incomplete", "response.failed", "response.cancelled"}


_LATEST_S = 1 << 33


def seconds_from(created: Any) -> float:
    """When a response was asked for, in seconds since 1970; 0: it does not say."""
    is_time = isinstance(created, int | float) and not isinstance(created, bool) and 0 < created < _LATEST_S
    return float(created) if is_time else 0.0


class ResponseTail(EventTail):
    """The first event names id and model, the last one holds the response."""

    WORTH_READING: ClassVar = re.compile(
        rb'"(?:response\.(?:completed|incomplete|failed|cancelled)"|error"%b[,}])' % GAP
    )
    STRANGER: ClassVar = stranger(KNOWN_TYPES)
    KNOWN_TYPES: ClassVar = KNOWN_TYPES

    def on_event(self, event: Mapping[str, Any]) -> None:
        if event.get("type") == "error":
            inner = mapping(event.get("error")) or event
            self.error_kind = identifier(inner.get("code")) or identifier(inner.get("type")) or "error"
            self._count(event.get("usage") or inner.get("usage"))
            return
        response = mapping(event.get("response"))
        self.reply_id = identifier(response.get("id")) or self.reply_id
        self.model = identifier(response.get("model")) or self.model
        if response.get("service_tier"):
            self.tier = tier_from(response)
        self.background = response.get("background") is True or self.background
        self.pending = self.background
        self.created_s = seconds_from(response.get("created_at")) if self.background else 0.0
        if text(event.get("type")) not in _LAST:
            return
        self.pending = False
        self._count(response.get("usage"))
        self.charges = charges_from(
            mapping(response.get("usage")),
            lane=response.get("service_tier"),
            model=self.model,
            requests=requests_in(response),
        ).with_cache_miss(cache_miss_from(response))
        self.finish_reason = identifier(finish_reason_from(response))
        self.complete = event.get("type") in {"response.completed", "response.incomplete"}
        if event.get("type") == "response.failed":
            self.error_kind = identifier(mapping(response.get("error")).get("code")) or "error"

    def _count(self, usage: Any) -> None:
        if usage is not None:
            self.usage, self.usage_problem = parse_usage(usage_from, usage, MAIN_COUNTS)
            self.usage_final = self.usage is not None

    def generated_text(self, event: Mapping[str, Any]) -> str:
        if text(event.get("type")).endswith(".delta"):
            return text(event.get("delta"))
        item = mapping(event.get("item"))
        return text(item.get("name")) if event.get("type") == "response.output_item.added" else ""


def _kind(event: Mapping[str, Any]) -> str:
    kind = event.get("type")
    return kind if isinstance(kind, str) else ""


STREAM_TEXTS = StreamTexts(
    is_piece=lambda event: _kind(event).endswith(".delta"),
    is_end=lambda event: _kind(event).endswith((".done", ".completed", ".incomplete", ".failed")),
)
