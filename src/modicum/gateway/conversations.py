"""The anatomy of live calls: which parts of a context were there in the call before, and which are new.

A conversation is known by name (a header, the request's metadata) or by its context: a call continues the conversation
with which it shares the longest run of leading parts, if that run goes beyond the system prompt and the tools, which
many conversations share. Only digests are kept, never text; texts wait in memory until their tokens are counted.
"""

from collections import OrderedDict
from collections.abc import Sequence

from modicum.calls import Anatomy, Segment, SegmentKind
from modicum.metering.digests import Digester
from modicum.providers.blocks import Block

MOST_CONVERSATIONS = 5_000
MOST_PARTS = 1_000_000
MOST_COUNTS = 200_000

_HEAD = (SegmentKind.SYSTEM, SegmentKind.TOOL_SCHEMA, SegmentKind.PREFIX)
_ABOUT = (SegmentKind.TOOL_CALL, SegmentKind.TOOL_RESULT)


class Part:
    """One segment of a context, counted when somebody gets to it."""

    __slots__ = ("detail", "digest", "is_error", "kind", "tokens", "tool")

    def __init__(self, block: Block, digest: bytes, detail: bytes, tokens: int | None) -> None:
        self.kind, self.tool, self.is_error = block.kind, block.tool, block.is_error
        self.digest, self.detail, self.tokens = digest, detail, tokens


class Placed:
    """A call's context, put into its conversation."""

    __slots__ = ("break_cause", "conversation", "kept", "parts", "uncounted")

    def __init__(self, conversation: str, parts: list[Part], kept: int, break_cause: str) -> None:
        self.conversation = conversation
        self.parts = parts
        self.kept = kept
        self.break_cause = break_cause
        self.uncounted: list[tuple[Part, str]] = []
        """New parts whose tokens nobody has counted yet, with their texts."""

    def anatomy(self) -> Anatomy | None:
        """None while parts are uncounted."""
        parts = self.parts
        if any(part.tokens is None for part in parts):
            return None
        return Anatomy(
            self.kept,
            sum(part.tokens or 0 for part in parts[: self.kept]),
            tuple(
                Segment(part.kind, part.tokens or 0, part.digest, part.tool, part.detail, part.is_error)
                for part in parts[self.kept :]
            ),
            self.break_cause,
        )


class Conversations:
    """What the gateway remembers of contexts, within fixed bounds."""

    def __init__(self, digester: Digester) -> None:
        self._digester = digester
        self._latest: OrderedDict[str, tuple[list[Part], list[int]]] = OrderedDict()
        self._by_chain: dict[int, str] = {}
        self._counts: OrderedDict[bytes, int] = OrderedDict()
        self._parts = 0

    def place(self, scope: str, named: str, blocks: Sequence[Block], number: str) -> Placed:
        """Puts a context into its conversation, and makes it the conversation's latest.

        Conversations of one `scope` (a key's name) only continue each other. `named`: what somebody called the
        conversation; `number` names a new one.
        """
        parts, texts = self._digested(blocks)
        chains = _chains(scope, parts)
        conversation = f"{scope}/{named}" if named else self._continued(parts, chains)
        before = self._latest.get(conversation, ((), ()))[0] if conversation else ()
        kept = _agreeing(before, parts)
        cause = _cause(before, kept) if kept < len(before) else ""
        conversation = conversation or f"{scope}/{number}"
        parts[:kept] = before[:kept]
        self._remember(conversation, parts, chains)
        placed = Placed(named or conversation.rpartition("/")[2], parts, kept, cause)
        placed.uncounted = [
            (part, text) for part, text in zip(parts[kept:], texts[kept:], strict=True) if part.tokens is None
        ]
        return placed

    def counted(self, part: Part, tokens: int) -> None:
        part.tokens = tokens
        self._counts[part.digest] = tokens
        if len(self._counts) > MOST_COUNTS:
            self._counts.popitem(last=False)

    def _digested(self, blocks: Sequence[Block]) -> tuple[list[Part], list[str]]:
        digest, counts = self._digester.digest, self._counts
        arguments = {
            block.call: digest(block.text) for block in blocks if block.kind is SegmentKind.TOOL_CALL and block.call
        }
        parts, texts = [], []
        for block in blocks:
            own = digest(block.text)
            detail = arguments.get(block.call, b"") if block.kind in _ABOUT else b""
            parts.append(Part(block, own, detail, counts.get(own)))
            texts.append(block.text)
        return parts, texts

    def _continued(self, parts: Sequence[Part], chains: Sequence[int]) -> str:
        for position in range(len(parts) - 1, -1, -1):
            if parts[position].kind in _HEAD:
                return ""
            found = self._by_chain.get(chains[position])
            if found is not None and found in self._latest:
                return found
        return ""

    def _remember(self, conversation: str, parts: list[Part], chains: list[int]) -> None:
        old = self._latest.pop(conversation, None)
        if old is not None:
            self._parts -= len(old[0])
        self._latest[conversation] = parts, chains
        self._parts += len(parts)
        for chain in chains:
            self._by_chain[chain] = conversation
        while len(self._latest) > 1 and (len(self._latest) > MOST_CONVERSATIONS or self._parts > MOST_PARTS):
            gone, (gone_parts, gone_chains) = self._latest.popitem(last=False)
            self._parts -= len(gone_parts)
            for chain in gone_chains:
                if self._by_chain.get(chain) == gone:
                    del self._by_chain[chain]


def _chains(scope: str, parts: Sequence[Part]) -> list[int]:
    """For each position a number that stands for everything up to it."""
    chain = hash(scope)
    chains = []
    for part in parts:
        chain = hash((chain, part.digest, part.kind, part.tool))
        chains.append(chain)
    return chains


def _agreeing(before: Sequence[Part], now: Sequence[Part]) -> int:
    same = 0
    for mine, theirs in zip(before, now, strict=False):
        if mine.digest != theirs.digest or mine.kind is not theirs.kind or mine.tool != theirs.tool:
            break
        same += 1
    return same


def _cause(before: Sequence[Part], kept: int) -> str:
    """Why less was kept than there was, by what stood where the two part."""
    kind = before[kept].kind
    if kind is SegmentKind.TOOL_SCHEMA:
        return "tools"
    return "system" if kind is SegmentKind.SYSTEM else "rewind"
