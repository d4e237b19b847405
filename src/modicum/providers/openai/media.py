"""What OpenAI's APIs of pictures and sound have in common: their usage, and its place in a stream.

A usage object has the names of the responses API (`input_tokens_details` or `input_token_details` with text, picture
and sound), or says seconds (`type: duration`). Sources: https://platform.openai.com/docs/api-reference/images,
https://platform.openai.com/docs/api-reference/audio, https://platform.openai.com/docs/api-reference/images-streaming.
"""

import re
from collections.abc import Mapping
from typing import Any, ClassVar

import msgspec

from modicum.calls import NO_CHARGES, Charges, Usage
from modicum.calls.usage import checked_count
from modicum.providers.body_parsing import error_kind_of, identifier, parse_usage
from modicum.providers.facts import ReplyFacts
from modicum.providers.fields import mapping, text
from modicum.providers.openai.usage import KNOWN, MADE_DETAILS, MAIN_COUNTS, charges_from, usage_from
from modicum.providers.stream import GAP, EventTail
from modicum.providers.usage_guard import KnownFields

SECONDS = "audio_second"
"""The unit of what is charged by its length."""
_KNOWN: KnownFields = {**KNOWN, "seconds": "taken: `audio_second`"}


def media_usage(usage: Any, made: str = "") -> tuple[Usage | None, str]:
    """The buckets of a usage object, or None and why. `made`: the bucket of an output whose kind is not told."""
    counts = mapping(usage)
    if text(counts.get("type")) == "duration":
        return None, ""
    buckets, problem = parse_usage(usage_from, usage, MAIN_COUNTS)
    if buckets is not None and made and not any(counts.get(name) for name in MADE_DETAILS):
        buckets = msgspec.structs.replace(buckets, output_visible=0, **{made: buckets.output_visible})
    return buckets, problem


def media_charges(usage: Any, model: str = "") -> Charges:
    """What is charged beside the tokens: seconds of sound, each that began."""
    counts = mapping(usage)
    seconds = counts.get("seconds")
    requests = {}
    if isinstance(seconds, int | float) and not isinstance(seconds, bool) and 0 < seconds < 1 << 31:
        requests = {SECONDS: checked_count("seconds", -int(-seconds // 1))}
    return charges_from(counts, model=model, known=_KNOWN, requests=requests) if counts else NO_CHARGES


def media_reply(reply: Mapping[str, Any], *, complete: bool, made: str = "") -> ReplyFacts:
    """The facts of a whole reply."""
    usage, problem = media_usage(reply.get("usage"), made)
    return ReplyFacts(
        reply_id=identifier(reply.get("id")),
        model=identifier(reply.get("model")),
        usage=usage,
        usage_final=usage is not None,
        charges=media_charges(reply.get("usage")),
        complete=complete,
        error_kind=error_kind_of(reply) if not complete else "",
        problem=problem,
    )


class MediaTail(EventTail):
    """Events of which the last one (`....completed`, `....done`) holds the usage.

    Args:
        ends: how the type of that event ends.
        made: as `media_usage`.
    """

    WORTH_READING: ClassVar = re.compile(rb'"(?:usage"%b:%b\{|error"%b:)' % (GAP, GAP, GAP))

    def __init__(self, ends: tuple[str, ...], made: str = "") -> None:
        super().__init__()
        self._ends, self._made = ends, made

    def on_event(self, event: Mapping[str, Any]) -> None:
        kind = text(event.get("type"))
        if kind.endswith(self._ends):
            self.complete = True
            self.usage, self.usage_problem = media_usage(event.get("usage"), self._made)
            self.usage_final = self.usage is not None
            self.charges = media_charges(event.get("usage"))
        if kind == "error" or event.get("error"):
            self.error_kind = error_kind_of(event) or "error"

    def generated_text(self, event: Mapping[str, Any]) -> str:  # noqa: ARG002 - it is not billed by its text
        return ""
