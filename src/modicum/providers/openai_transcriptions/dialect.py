"""Sound to text. Newer models tell tokens, older ones seconds; and a reply as plain text or subtitles tells nothing.

Source: https://platform.openai.com/docs/api-reference/audio/createTranscription.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

import msgspec

from modicum.providers.blocks import Block
from modicum.providers.body_parsing import UNREADABLE, unreadable_reply
from modicum.providers.dialect import Target
from modicum.providers.facts import ReplyFacts, RequestFacts
from modicum.providers.fields import mapping
from modicum.providers.openai.dialect import OpenAIDialect
from modicum.providers.openai.forms import form_facts
from modicum.providers.openai.media import MediaTail, media_reply
from modicum.providers.openai_transcriptions.replies import WRITER


class OpenAITranscriptions(OpenAIDialect):
    """POST /v1/audio/transcriptions and /v1/audio/translations, as forms with a file."""

    name = "openai-transcriptions"
    paths: ClassVar = {f"/v1/audio/{made}": Target(f"/audio/{made}") for made in ("transcriptions", "translations")}
    stream_ends = (b"transcript.text.done",)
    bills_text = generates = False
    has_deployments = True
    writer = WRITER

    def request(self, body: bytes, path: str) -> RequestFacts:
        return form_facts(body, path)

    @staticmethod
    def blocks_of(request: Mapping[str, Any]) -> list[Block]:  # noqa: ARG004 - sound has no text
        return []

    def segments(self, body: bytes) -> list[Block]:  # noqa: ARG002 - as above
        return []

    def reply(self, body: bytes) -> ReplyFacts:
        try:
            reply = mapping(msgspec.json.decode(body))
        except UNREADABLE:
            return unreadable_reply(body)
        return media_reply(reply, complete="text" in reply)

    def tail(self, usage_asked: bool) -> MediaTail:  # noqa: ARG002 - usage comes unasked
        return MediaTail(("text.done",))


DIALECT = OpenAITranscriptions()
