"""Blocks of text in, segments out: digests, what a result is about, and token counts, after which the text is gone."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from modicum.calls import Basis, Segment, SegmentKind
from modicum.calls.outside.storable import storable
from modicum.context.block_listener import BlockListener, MeasuredBlock
from modicum.metering.digests import Digester
from modicum.metering.tokens import count_tokens
from modicum.providers.blocks import Block

MOST_UNANSWERED = 256
"""Tool calls without an id that wait for their result."""


class Print(NamedTuple):
    """A block with its digests, before its tokens are counted. Fields as in `Segment`."""

    kind: SegmentKind
    tool: str
    digest: bytes
    detail: bytes
    is_error: bool
    text: str
    """What a model reads; empty where that is nothing that can be counted."""
    basis: Basis


class ToolCalls:
    """Which call a tool result answers: by its id, else the first one of its tool that waits for an answer."""

    def __init__(self) -> None:
        self._by_id: dict[str, tuple[str, bytes]] = {}
        self._waiting: deque[tuple[str, bytes]] = deque(maxlen=MOST_UNANSWERED)

    def add(self, call: str, tool: str, detail: bytes) -> None:
        if call:
            self._by_id[call] = tool, detail
        else:
            self._waiting.append((tool, detail))

    def answered(self, result: Block) -> tuple[str, bytes]:
        """Tool and detail of the call; the tool that the result itself names where no such call is known."""
        if found := self._by_id.get(result.call):
            return found
        for waiting in self._waiting:
            if not result.tool or result.tool == waiting[0]:
                self._waiting.remove(waiting)
                return waiting
        return result.tool, b""

    def forget_waiting(self) -> None:
        self._waiting.clear()


def prints(digester: Digester, blocks: Iterable[Block], called: ToolCalls) -> Iterator[Print]:
    """What is kept of blocks, one for each that holds anything. This is the one place that makes digests and details.

    The detail of a tool call is its own digest, of tool and arguments; that of a result is the detail of its call.
    """
    digest = digester.segment
    for block in blocks:
        shown = storable(block.shown)
        tool, detail = storable(block.tool), b""
        is_result = block.kind is SegmentKind.TOOL_RESULT
        if not shown and not is_result:
            continue
        own = digest(shown) if shown else b""
        if block.kind is SegmentKind.TOOL_CALL:
            detail = own
            called.add(block.call, tool, detail)
        elif is_result:
            tool, detail = called.answered(block)
        basis = Basis.ESTIMATED if block.is_text else Basis.UNKNOWN
        yield Print(block.kind, tool, own, detail, block.is_error, shown if block.is_text else "", basis)


class Segmenter:
    """Measures the blocks of one file. Keeps digests and counts, so that a text that comes again is counted once.

    Args:
        digester: with the ledger's key.
        count: (text, model) -> tokens; None: `count_tokens`.
        listener: is told every text.
    """

    def __init__(
        self,
        digester: Digester,
        count: Callable[[str, str], int] | None = None,
        listener: BlockListener | None = None,
    ) -> None:
        self._digester, self._count, self._listener = digester, count or count_tokens, listener or BlockListener()
        self._called = ToolCalls()
        self._counts: dict[tuple[bytes, str], int] = {}

    def context(self, blocks: Iterable[Block], model: str) -> list[Segment]:
        """The whole context of a request, from its beginning."""
        self._called.forget_waiting()
        return self.segments(blocks, model)

    def segments(self, blocks: Iterable[Block], model: str) -> list[Segment]:
        """What came to a context. A tool's result gets the name and the detail of the call behind it."""
        return [self._segment(part, model) for part in prints(self._digester, blocks, self._called)]

    def on_reply(self, call_id: str, blocks: Iterable[Block], model: str) -> None:
        """The reply to a call that stands in no context yet: it is only listened to."""
        self._listener.on_reply(call_id, self.segments(blocks, model))

    def _segment(self, part: Print, model: str) -> Segment:
        tokens = 0
        if part.text:
            counted = self._counts.get((part.digest, model))
            tokens = self._counts[part.digest, model] = self._count(part.text, model) if counted is None else counted
            self._listener.on_block(MeasuredBlock(part.kind, part.text, part.digest, tokens, model))
        return Segment(part.kind, tokens, part.digest, part.tool, part.detail, part.is_error, part.basis)
