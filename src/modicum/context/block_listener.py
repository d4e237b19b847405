"""Who listens while a file is read: to its blocks as they are measured, and to replies."""

from collections.abc import Iterable, Sequence

from modicum.calls import Segment, SegmentKind


class BlockListener:
    """Receives what passes while a file is read with anatomy. This one ignores all of it."""

    def on_block(self, kind: SegmentKind, text: str, digest: bytes) -> None:
        """A block was measured: `digest` is that of its segment. The same block may come again."""

    def on_reply(self, call_id: str, segments: Iterable[Segment]) -> None:
        """The reply to a call, in parts or as a whole: the last one of a conversation stands in no context."""


class Listeners(BlockListener):
    """Several of them."""

    def __init__(self, *listeners: BlockListener) -> None:
        self._listeners: Sequence[BlockListener] = listeners

    def on_block(self, kind: SegmentKind, text: str, digest: bytes) -> None:
        for listener in self._listeners:
            listener.on_block(kind, text, digest)

    def on_reply(self, call_id: str, segments: Iterable[Segment]) -> None:
        parts = list(segments)
        for listener in self._listeners:
            listener.on_reply(call_id, parts)
