"""A stream of generateContent that is ended early. Calls of functions come whole, each in one event."""

from collections.abc import Mapping
from typing import Any

from modicum.providers.body_parsing import encode
from modicum.providers.cut_off.stream_cut import StreamCut
from modicum.providers.fields import listed, mapping
from modicum.providers.gemini_generate.stream import candidate_blocks


class GeminiCut(StreamCut):
    """Of events; a stream that comes as one array has none."""

    def __init__(self) -> None:
        super().__init__()
        self._head: Mapping[str, Any] = {}
        self._finished: dict[int, bool] = {}
        """By candidate, whether its end has passed."""

    def cut(self, output_tokens: int) -> bytes:  # noqa: ARG002 - usage is the provider's to tell, and it told none
        unfinished = [index for index, is_over in self._finished.items() if not is_over]
        ends = [
            {"content": {"parts": [{"text": ""}], "role": "model"}, "finishReason": "MAX_TOKENS", "index": index}
            for index in unfinished or [0]
        ]
        return b"data: %b\r\n\r\n" % encode({"candidates": ends, **self._head})

    def _text_of(self, event: Mapping[str, Any]) -> str:
        return "".join(f"{block.tool}{block.text}" for block in candidate_blocks(listed(event.get("candidates"))))

    def _on_event(self, raw: bytes, event: Mapping[str, Any]) -> bytes:
        self._head = {name: event[name] for name in ("modelVersion", "responseId") if name in event}
        for candidate in map(mapping, listed(event.get("candidates"))):
            index = candidate.get("index")
            self._finished[index if isinstance(index, int) else 0] = bool(candidate.get("finishReason"))
        return raw
