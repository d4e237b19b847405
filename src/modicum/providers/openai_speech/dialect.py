"""Text to sound. The reply is the sound itself, piece by piece as it is made; only its events tell usage.

Source: https://platform.openai.com/docs/api-reference/audio/createSpeech.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

from modicum.calls import SegmentKind
from modicum.providers.blocks import Block, written
from modicum.providers.body_parsing import error_kind_of, parse_request_object
from modicum.providers.dialect import Target
from modicum.providers.facts import DialectError, ReplyFacts, RequestFacts
from modicum.providers.openai.dialect import OpenAIDialect
from modicum.providers.openai.forms import form_facts
from modicum.providers.openai.media import MediaTail
from modicum.providers.openai_speech.replies import WRITER


class OpenAISpeech(OpenAIDialect):
    """POST /v1/audio/speech."""

    name = "openai-speech"
    paths: ClassVar = {"/v1/audio/speech": Target("/audio/speech")}
    stream_ends = (b"speech.audio.done",)
    bills_text = generates = False
    has_deployments = True
    writer = WRITER

    def request(self, body: bytes, path: str) -> RequestFacts:
        """Sound comes as it is made, whatever was asked."""
        facts = form_facts(body, path)
        return RequestFacts(model=facts.model, stream=True, user=facts.user)

    @staticmethod
    def blocks_of(request: Mapping[str, Any]) -> list[Block]:
        spoken = (request.get("instructions"), request.get("input"))
        return [Block(SegmentKind.USER, written(one)) for one in spoken if one is not None]

    def reply(self, body: bytes) -> ReplyFacts:
        """An error, or sound."""
        if body[:1] == b"{":
            try:
                return ReplyFacts(error_kind=error_kind_of(parse_request_object(body)))
            except DialectError:
                pass
        return ReplyFacts(complete=bool(body))

    def tail(self, usage_asked: bool) -> MediaTail:  # noqa: ARG002 - usage comes unasked
        return MediaTail(("speech.audio.done",), made="output_audio")


DIALECT = OpenAISpeech()
