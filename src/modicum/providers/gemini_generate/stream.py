"""A stream of generateContent, watched: events, or the elements of one array. And what one response tells."""

import re
from collections.abc import Mapping
from typing import Any, ClassVar

import msgspec

from modicum.providers.blocks import Block
from modicum.providers.body_parsing import UNREADABLE, MainCounts, error_kind_of, identifier, parse_usage
from modicum.providers.fields import listed, mapping
from modicum.providers.gemini_generate.usage import charges_from, tier_from, usage_from
from modicum.providers.line_buffer import MOST_LINE, LineBuffer
from modicum.providers.message_blocks import messages_blocks
from modicum.providers.reply_text import StreamTexts, any_has
from modicum.providers.stream import EventTail

MAIN_COUNTS = MainCounts(("promptTokenCount",), ("candidatesTokenCount",))


def error_kind_in(error: Any) -> str:
    status = identifier(mapping(error).get("status"))
    return status or error_kind_of({"error": error})


def counted_in(usage: Any) -> tuple[Any, str]:
    """As `parse_usage`; a usage that only names the traffic type has not counted anything."""
    if "promptTokenCount" not in mapping(usage):
        return None, ""
    return parse_usage(usage_from, usage, MAIN_COUNTS)


def candidate_blocks(candidates: list[Any]) -> list[Block]:
    contents = (mapping(mapping(candidate).get("content")) for candidate in candidates)
    return messages_blocks([{**content, "role": "model"} for content in contents])


def finish_reason_in(candidates: list[Any], feedback: Any) -> str:
    """Why the first candidate ended; where there is none, why the prompt was blocked."""
    for candidate in candidates:
        return identifier(mapping(candidate).get("finishReason"))
    return identifier(mapping(feedback).get("blockReason"))


def grounding_in(candidates: list[Any]) -> list[Mapping[str, Any]]:
    """What candidates say of the provider's own searches."""
    return [found for one in candidates if (found := mapping(mapping(one).get("groundingMetadata")))]


class GeminiTail(EventTail):
    """Every chunk may tell something; only the last figures stand."""

    WORTH_READING: ClassVar = re.compile(rb'"(?:usageMetadata|finishReason|promptFeedback|error)"')

    def __init__(self) -> None:
        super().__init__()
        self._counts: dict[str, Any] = {}
        self._grounding: list[Mapping[str, Any]] = []
        self._is_array: bool | None = None
        self._array_lines = LineBuffer()
        self._element: list[bytes] = []
        self._element_size = 0

    def on_event(self, event: Mapping[str, Any]) -> None:
        candidates = listed(event.get("candidates"))
        self.reply_id = identifier(event.get("responseId")) or self.reply_id
        self.model = identifier(event.get("modelVersion")) or self.model
        self.finish_reason = finish_reason_in(candidates, event.get("promptFeedback")) or self.finish_reason
        self.complete = self.complete or bool(self.finish_reason)
        failed = error_kind_in(event.get("error"))
        self.error_kind = failed or self.error_kind
        self._grounding += grounding_in(candidates)
        counts = mapping(event.get("usageMetadata")).items()
        self._counts.update({name: count for name, count in counts if count or name not in self._counts})
        self.usage, self.usage_problem = counted_in(self._counts)
        counted_at_end = self.complete or bool(failed and counts)
        self.usage_final = self.usage is not None and counted_at_end
        self.tier = tier_from(self._counts)
        self.charges = charges_from(self._counts, self._grounding, self.model)

    def generated_text(self, event: Mapping[str, Any]) -> str:
        blocks = candidate_blocks(listed(event.get("candidates")))
        return "".join(f"{block.tool}{block.text}" for block in blocks)

    def take(self, element: Mapping[str, Any]) -> None:
        """An element of the array."""
        self.on_event(element)
        self._keep(self.generated_text(element))

    def feed(self, chunk: bytes) -> bytes:
        """Events as usual; of an array, elements as they become whole."""
        if self._is_array is None and (begun := chunk.lstrip()):
            self._is_array = begun.startswith(b"[")
        if not self._is_array:
            return super().feed(chunk)
        if lines := self._array_lines.feed(chunk):
            self._read_array(lines)
        return chunk

    def _read_array(self, lines: bytes) -> None:
        for line in lines.splitlines():
            if line.rstrip() in {b",", b"]"}:
                self._whole_element()
            else:
                self._element.append(line)
                self._element_size += len(line)
        if self._element_size > MOST_LINE:
            self._element.clear()
            self._element_size = 0
            self.problem = "an element was too large to be read"

    def end(self) -> bytes:
        super().end()
        if last := self._array_lines.end():
            self._read_array(last)
        if self._array_lines.skipped:
            self.problem = "an element was too large to be read"
        if self._element:
            self._whole_element()
        return b""

    def _whole_element(self) -> None:
        raw = b"\n".join(self._element).strip().removeprefix(b"[")
        self._element.clear()
        self._element_size = 0
        try:
            elements = msgspec.json.decode(b"[" + raw.removesuffix(b"]") + b"]")
        except UNREADABLE:
            self.problem = "an element of the stream is not JSON"
            return
        for element in listed(elements):
            self.take(mapping(element))


STREAM_TEXTS = StreamTexts(
    is_piece=lambda event: "candidates" in event, is_end=lambda event: any_has(event.get("candidates"), "finishReason")
)
