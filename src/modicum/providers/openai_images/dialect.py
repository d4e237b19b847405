"""Pictures: made, edited, varied. Newer models tell tokens; older ones are charged by the picture, and tell nothing.

Source: https://platform.openai.com/docs/api-reference/images.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

import msgspec

from modicum.calls import SegmentKind
from modicum.providers.blocks import Block, written
from modicum.providers.body_parsing import UNREADABLE, unreadable_reply
from modicum.providers.dialect import Target
from modicum.providers.facts import ReplyFacts, RequestFacts
from modicum.providers.openai.dialect import OpenAIDialect
from modicum.providers.openai.forms import form_facts
from modicum.providers.openai.media import MediaTail, media_reply
from modicum.providers.openai.multipart import is_form
from modicum.providers.openai_images.replies import WRITER

USUAL_MODEL = "dall-e-2"
"""Which OpenAI takes where a request names none."""
_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])


class OpenAIImages(OpenAIDialect):
    """POST /v1/images/generations, /edits and /variations."""

    name = "openai-images"
    paths: ClassVar = {
        f"/v1/images/{made}": Target(f"/images/{made}") for made in ("generations", "edits", "variations")
    }
    stream_ends = (b"_generation.completed", b"_edit.completed")
    bills_text = generates = False
    has_deployments = True
    writer = WRITER

    def request(self, body: bytes, path: str) -> RequestFacts:
        return form_facts(body, path, USUAL_MODEL)

    @staticmethod
    def blocks_of(request: Mapping[str, Any]) -> list[Block]:
        prompt = request.get("prompt")
        return [] if prompt is None else [Block(SegmentKind.USER, written(prompt))]

    def segments(self, body: bytes) -> list[Block]:
        return [] if is_form(body) else super().segments(body)

    def reply(self, body: bytes) -> ReplyFacts:
        """The pictures themselves are not decoded."""
        try:
            fields = _fields.decode(body)
            pictures = fields.pop("data", msgspec.Raw(b""))
            plain = {name: msgspec.json.decode(raw) for name, raw in fields.items()}
        except UNREADABLE:
            return unreadable_reply(body)
        return media_reply(plain, complete=bytes(pictures).lstrip().startswith(b"["), made="output_image")

    def tail(self, usage_asked: bool) -> MediaTail:  # noqa: ARG002 - usage comes unasked
        return MediaTail((".completed",), made="output_image")


DIALECT = OpenAIImages()
