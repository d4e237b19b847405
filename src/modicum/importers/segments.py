"""Blocks of text in, segments out: digests and token counts, after which the text is gone."""

from collections.abc import Iterable

from modicum.calls import Basis, Segment, SegmentKind
from modicum.importers.context import Context
from modicum.importers.format import Reading
from modicum.providers.blocks import Block


class Segmenter:
    """Measures the blocks of one file. Keeps digests and counts, so that a text that comes again is counted once."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._counts: dict[tuple[bytes, str], int] = {}
        self._called: dict[str, tuple[str, bytes]] = {}

    def segments(self, blocks: Iterable[Block], model: str) -> list[Segment]:
        """One segment per block that has text. A tool's result gets the name and the digest of the call behind it."""
        return [self._segment(block, model) for block in blocks if block.text or block.tool]

    def _segment(self, block: Block, model: str) -> Segment:
        said = block.text
        if not said.isascii():
            said = said.encode("utf-8", "replace").decode()  # half characters have no tokens
        tool, detail = block.tool, b""
        if block.kind is SegmentKind.TOOL_CALL:
            detail = self._reading.digest(f"{tool}\n{said}")
            self._called[block.call] = tool, detail
        elif block.kind is SegmentKind.TOOL_RESULT:
            called, detail = self._called.get(block.call, ("", b""))
            tool = tool or called
        shown = f"{tool}\n{said}" if block.kind is SegmentKind.TOOL_CALL else said
        digest = self._reading.digest(shown) if shown else b""
        self._reading.listener.heard(block.kind, shown, digest)
        if block.kind is SegmentKind.IMAGE:
            return Segment(block.kind, 0, digest, basis=Basis.UNKNOWN)
        key = self._reading.digest(shown), model
        if key not in self._counts:
            self._counts[key] = self._reading.count(shown, model)
        return Segment(block.kind, self._counts[key], digest, tool, detail, block.is_error)


def add_prefix(context: Context, prompt_tokens: int) -> None:
    """Before a conversation's first call: what the provider counted beyond the log's segments goes in front.

    Agents log neither their tool schemas nor, as a rule, their system prompt.
    """
    missing = prompt_tokens - sum(segment.tokens for segment in context.segments)
    if missing > 0:
        context.segments.insert(0, Segment(SegmentKind.PREFIX, missing))
