"""Calls whose log gives the whole context of each one, brought into the order in which they were sent.

Exports list calls newest first, or in no order. An anatomy says what was kept from the call before, so the calls of a
conversation wait here until all are known. Segments that are equal are one object, so waiting costs little.
"""

from collections.abc import Iterator, Sequence

import msgspec

from modicum.calls import Call, Segment
from modicum.importers.context import Context
from modicum.importers.messages import cause_of_break


class Conversations:
    def __init__(self) -> None:
        self._waiting: dict[str, tuple[Call, Sequence[Segment]]] = {}

    def add(self, call: Call, segments: Sequence[Segment]) -> None:
        """Of two records of one call the greater revision stands, and of equals the first."""
        known = self._waiting.get(call.call_id)
        if known is None or call.revision > known[0].revision:
            self._waiting[call.call_id] = (call, segments)

    def calls(self) -> Iterator[Call]:
        """All calls by time, each with its anatomy; without one where nothing was recorded of its context."""
        contexts: dict[str, Context] = {}
        for call, segments in sorted(self._waiting.values(), key=lambda waiting: waiting[0].started):
            if not segments:
                yield call
                continue
            context = contexts.setdefault(call.conversation or call.task or call.call_id, Context())
            context.replace(segments, cause_of_break(context.segments, segments))
            yield msgspec.structs.replace(call, anatomy=context.sent())
