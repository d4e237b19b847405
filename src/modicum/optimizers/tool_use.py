"""Which tools the conversations of a program call, seen from their requests alone."""

from collections import Counter, OrderedDict
from collections.abc import Sequence
from hashlib import blake2b
from typing import TypeVar

from modicum.calls import SegmentKind
from modicum.calls.prompt import Unit
from modicum.optimizers.tools_on_demand import ToolDemand

Kept = TypeVar("Kept")

MOST_PROGRAMS, MOST_CONVERSATIONS = 1_000, 10_000
"""That are remembered; those that were not seen for longest go first."""


class ProgramUse:
    """Which tools the conversations of one program call."""

    __slots__ = ("called", "conversations", "searches")

    def __init__(self) -> None:
        self.conversations = self.searches = 0
        self.called: Counter[str] = Counter()


class ConversationUse:
    """What one conversation called, and what was left out of it."""

    __slots__ = ("called", "found", "is_counted", "left_out")

    def __init__(self) -> None:
        self.called: frozenset[str] = frozenset()
        self.found: frozenset[str] = frozenset()
        self.left_out: frozenset[str] | None = None
        self.is_counted = False


class ToolUse:
    """What is remembered of programs and of their conversations, in memory: names of tools, and digests. No
    rule: whoever runs rules keeps one, and hands out what it says.
    """

    def __init__(self) -> None:
        self._programs: OrderedDict[bytes, ProgramUse] = OrderedDict()
        self._conversations: OrderedDict[bytes, ConversationUse] = OrderedDict()

    def demand(self, owner: object, units: Sequence[Unit]) -> tuple[ToolDemand, ConversationUse, ProgramUse] | None:
        """What is known for a call of this owner with this prompt; None: it has no tools, or says nothing yet. A
        conversation counts for others once it has gone on: until then nobody knows what it calls.
        """
        schemas = [unit for unit in units if unit.kind is SegmentKind.TOOL_SCHEMA]
        first = next((unit for unit in units if unit.is_message), None)
        if not schemas or first is None:
            return None
        names = sorted(unit.tool for unit in schemas)
        program_key = _digest(repr(owner), *names)
        program = _recent(self._programs, program_key, ProgramUse, MOST_PROGRAMS)
        key = _digest(program_key.hex(), first.digest.hex())
        conversation = _recent(self._conversations, key, ConversationUse, MOST_CONVERSATIONS)
        called = frozenset(unit.tool for unit in units if unit.kind is SegmentKind.TOOL_CALL and unit.tool)
        goes_on = any(unit.is_by_model for unit in units)
        if conversation.is_counted and not goes_on:  # another one that begins with the same words
            conversation = self._conversations[key] = ConversationUse()
        if goes_on:
            program.conversations += not conversation.is_counted
            program.called.update(called - conversation.called)
            conversation.called |= called
            conversation.is_counted = True
        demand = ToolDemand(
            program.conversations,
            program.called,
            conversation.found,
            conversation.left_out if conversation.left_out is not None or not goes_on else frozenset(),
            searches_each=program.searches / program.conversations if program.conversations else 0.0,
        )
        if conversation.left_out is None:
            conversation.left_out = demand.seldom(frozenset(names))
        return demand, conversation, program


def _recent(kept: OrderedDict[bytes, Kept], key: bytes, make: type[Kept], most: int) -> Kept:
    """What is remembered under a key, or a new one."""
    one = kept.get(key)
    if one is None:
        one = kept[key] = make()
        if len(kept) > most:
            kept.popitem(last=False)
    kept.move_to_end(key)
    return one


def _digest(*parts: str) -> bytes:
    digest = blake2b(digest_size=16)
    for part in parts:
        digest.update(b"%d:" % len(part))
        digest.update(part.encode("utf-8", "surrogatepass"))
    return digest.digest()
