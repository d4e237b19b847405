"""Who listens while a file is read: to its blocks as they are measured, and to replies."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from modicum.calls import Segment, SegmentKind


class MeasuredBlock(NamedTuple):
    """A block of a context with its text, while that passes.

    Attributes:
        digest: that of its segment.
        tokens: as counted, before they are fitted to a provider's counts.
        model: by whose encoding, or the nearest.
    """

    kind: SegmentKind
    text: str
    digest: bytes
    tokens: int
    model: str


class BlockListener:
    """Receives what passes while a file is read with anatomy. This one ignores all of it."""

    def on_block(self, block: MeasuredBlock) -> None:
        """A block was measured. The same one may come again."""

    def on_reply(self, call_id: str, segments: Iterable[Segment]) -> None:
        """The reply to a call, in parts or as a whole: the last one of a conversation stands in no context."""


class Listeners(BlockListener):
    """Several of them."""

    def __init__(self, *listeners: BlockListener) -> None:
        self._listeners: Sequence[BlockListener] = listeners

    def on_block(self, block: MeasuredBlock) -> None:
        for listener in self._listeners:
            listener.on_block(block)

    def on_reply(self, call_id: str, segments: Iterable[Segment]) -> None:
        parts = list(segments)
        for listener in self._listeners:
            listener.on_reply(call_id, parts)
