"""OpenAI's realtime API over its WebSocket: each response says in its last event what it used.

Source, 2026-11: https://developers.openai.com/api/docs/guides/realtime-websocket,
https://developers.openai.com/api/reference/resources/realtime.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

import msgspec

from modicum.providers.blocks import Block
from modicum.providers.body_parsing import UNREADABLE, check_model_name, identifier, parse_request, parse_usage
from modicum.providers.dialect import Target
from modicum.providers.facts import ReplyFacts, RequestFacts
from modicum.providers.fields import mapping
from modicum.providers.openai.dialect import OpenAIDialect
from modicum.providers.openai.usage import MAIN_COUNTS, charges_from, usage_from
from modicum.providers.planned_reply import ReplyWriter
from modicum.providers.stream import SilentTail

DONE = b'"response.done"'
TRANSCRIPTION = b'"conversation.item.input_audio_transcription.completed"'
"""What a caller's sound was written down as, by another model, which is charged for it."""


class _Session(msgspec.Struct):
    model: str | None = None


_session = msgspec.json.Decoder(_Session)


class OpenAIRealtime(OpenAIDialect):
    """A WebSocket under /v1/realtime. `request` takes what its address says, as JSON; `reply` one of its events."""

    name = "openai-realtime"
    paths: ClassVar = {"/v1/realtime": Target("/realtime")}
    bills_text = generates = False
    has_websocket = relays_websocket = True
    usage_marks = (DONE, TRANSCRIPTION)
    unbounded = "what is said on a socket is known when it was said"
    writer = ReplyWriter(lambda plan: b"{}")  # noqa: ARG005 - the mock provider speaks no realtime

    def request(self, body: bytes, path: str) -> RequestFacts:  # noqa: ARG002 - the path tells nothing here
        return RequestFacts(model=check_model_name(parse_request(_session, body).model))

    @staticmethod
    def blocks_of(request: Mapping[str, Any]) -> list[Block]:  # noqa: ARG004 - nothing was said yet
        return []

    def reply(self, body: bytes) -> ReplyFacts:
        """The facts of one event; without usage, of one that nobody is charged for."""
        try:
            event = mapping(msgspec.json.decode(body))
        except UNREADABLE:
            return ReplyFacts()
        response = mapping(event.get("response")) or event
        counts = mapping(response.get("usage"))
        usage, problem = parse_usage(usage_from, counts, MAIN_COUNTS) if counts else (None, "")
        model = identifier(response.get("model"))
        return ReplyFacts(
            reply_id=identifier(response.get("id")) if "response" in event else "",
            model=model,
            usage=usage,
            usage_final=usage is not None,
            charges=charges_from(counts, model=model),
            finish_reason=identifier(response.get("status")),
            complete=usage is not None,
            problem=problem,
        )

    def tail(self, usage_asked: bool) -> SilentTail:  # noqa: ARG002 - its events come one by one
        return SilentTail()


DIALECT = OpenAIRealtime()
