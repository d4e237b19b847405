"""Moderations, which OpenAI does not charge. Source: https://platform.openai.com/docs/api-reference/moderations."""

from collections.abc import Mapping
from typing import Any, ClassVar

import msgspec

from modicum.calls import SegmentKind
from modicum.providers.blocks import Block, written
from modicum.providers.body_parsing import UNREADABLE, error_kind_of, identifier, unreadable_reply
from modicum.providers.dialect import Target
from modicum.providers.facts import ReplyFacts, RequestFacts
from modicum.providers.fields import listed, mapping
from modicum.providers.openai.dialect import OpenAIDialect
from modicum.providers.openai.forms import form_facts
from modicum.providers.openai_moderations.replies import WRITER
from modicum.providers.stream import SilentTail

USUAL_MODEL = "omni-moderation-latest"


class OpenAIModerations(OpenAIDialect):
    """POST /v1/moderations."""

    name = "openai-moderations"
    paths: ClassVar = {"/v1/moderations": Target("/moderations")}
    bills_text = generates = False
    is_free = True
    writer = WRITER

    def request(self, body: bytes, path: str) -> RequestFacts:
        return form_facts(body, path, USUAL_MODEL)

    @staticmethod
    def blocks_of(request: Mapping[str, Any]) -> list[Block]:
        given = request.get("input")
        return [Block(SegmentKind.DOCUMENT, written(one)) for one in (listed(given) or [given]) if one is not None]

    def reply(self, body: bytes) -> ReplyFacts:
        try:
            reply = mapping(msgspec.json.decode(body))
        except UNREADABLE:
            return unreadable_reply(body)
        return ReplyFacts(
            reply_id=identifier(reply.get("id")),
            model=identifier(reply.get("model")),
            complete="results" in reply,
            error_kind=error_kind_of(reply),
        )

    def tail(self, usage_asked: bool) -> SilentTail:  # noqa: ARG002 - there are no streams
        return SilentTail()


DIALECT = OpenAIModerations()
