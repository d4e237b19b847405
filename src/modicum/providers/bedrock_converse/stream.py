"""A stream of Converse, watched. Source:
https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStreamOutput.html (2026-11).
"""

import re
from collections.abc import Mapping
from typing import Any, ClassVar

from modicum.providers.bedrock.frames import Frame
from modicum.providers.bedrock_converse.usage import MAIN_COUNTS, charges_from, tier_from, usage_from
from modicum.providers.body_parsing import identifier, parse_usage
from modicum.providers.fields import mapping, text
from modicum.providers.stream import EventTail

EXCEPTION = "exception"


def event_in(frame: Frame) -> bytes:
    """A frame as one document, named by the type of its event."""
    name = EXCEPTION if frame.is_exception else frame.kind
    payload = b'"%b"' % frame.kind.encode("ascii", "replace") if frame.is_exception else frame.payload
    return b'{"%b":%b}' % (name.encode("ascii", "replace"), payload or b"{}")


class ConverseTail(EventTail):
    """`messageStop` says why it ended, `metadata` behind it counts."""

    WORTH_READING: ClassVar = re.compile(rb'"(?:messageStop|metadata|exception)":')
    STRANGER: ClassVar = re.compile(
        rb'data: \{"(?!(?:messageSt(?:art|op)|contentBlock(?:Start|Delta|Stop)|metadata|exception)")([^"]{0,80})"'
    )

    def on_event(self, event: Mapping[str, Any]) -> None:
        if "messageStop" in event:
            self.finish_reason = identifier(mapping(event["messageStop"]).get("stopReason"))
        elif "metadata" in event:
            metadata = mapping(event["metadata"])
            counts = mapping(metadata.get("usage"))
            self.usage, self.usage_problem = parse_usage(usage_from, counts, MAIN_COUNTS)
            self.charges, self.tier = charges_from(counts), tier_from(metadata)
            self.usage_final = self.usage is not None
        elif EXCEPTION in event:
            self.error_kind = identifier(event[EXCEPTION]) or EXCEPTION
        self.complete = bool(self.finish_reason)

    def generated_text(self, event: Mapping[str, Any]) -> str:
        delta = mapping(mapping(event.get("contentBlockDelta")).get("delta"))
        start = mapping(mapping(mapping(event.get("contentBlockStart")).get("start")).get("toolUse"))
        reasoning = text(mapping(delta.get("reasoningContent")).get("text"))
        return text(start.get("name")) + text(delta.get("text")) + reasoning + _arguments(delta)


def _arguments(delta: Mapping[str, Any]) -> str:
    return text(mapping(delta.get("toolUse")).get("input"))
