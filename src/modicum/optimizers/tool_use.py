"""Which tools the conversations of a program call, seen from their requests alone."""

from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from hashlib import blake2b
from typing import TypeVar

import msgspec

from modicum.calls import Owner, SegmentKind
from modicum.calls.prompt import Unit
from modicum.optimizers.tools_on_demand import ToolDemand

Kept = TypeVar("Kept")

MOST_PROGRAMS, MOST_CONVERSATIONS = 1_000, 10_000
"""That are remembered; those that were not seen for longest go first."""


class ProgramRecord(msgspec.Struct, frozen=True):
    """What outlives a restart of one program: counts, and digests in the place of names."""

    program: str
    """Digest of its owner and of the names of its tools."""
    owner: tuple[str, str, str, str]
    """Team, app, user and name of the key."""
    conversations: int
    searches: int
    called: dict[str, int]
    """In how many conversations each tool was called, by the digest of its name."""


class ProgramUse:
    """Which tools the conversations of one program call."""

    __slots__ = ("called", "conversations", "owner", "searches")

    def __init__(self, owner: object = None) -> None:
        self.owner = owner
        self.conversations = self.searches = 0
        self.called: Counter[bytes] = Counter()
        """By the digest of a tool's name."""


class ConversationUse:
    """What one conversation called, and what was left out of it."""

    __slots__ = ("called", "found", "is_counted", "left_out")

    def __init__(self) -> None:
        self.called: frozenset[str] = frozenset()
        self.found: frozenset[str] = frozenset()
        self.left_out: frozenset[str] | None = None
        self.is_counted = False


class ToolUse:
    """What is remembered of programs and of their conversations: counts, and digests of names. No rule: whoever runs
    rules keeps one, and hands out what it says.

    Args:
        key: of the digests; where they are written down it is a secret.
    """

    def __init__(self, key: bytes = b"") -> None:
        self._key = key[:64]
        self.changes = 0
        """How often what outlives a restart has changed."""
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
        program_key = self._digest(repr(owner), *names)
        program = _recent(self._programs, program_key, partial(ProgramUse, owner), MOST_PROGRAMS)
        key = self._digest(program_key.hex(), first.digest.hex())
        conversation = _recent(self._conversations, key, ConversationUse, MOST_CONVERSATIONS)
        called = frozenset(unit.tool for unit in units if unit.kind is SegmentKind.TOOL_CALL and unit.tool)
        goes_on = any(unit.is_by_model for unit in units)
        if conversation.is_counted and not goes_on:  # another one that begins with the same words
            conversation = self._conversations[key] = ConversationUse()
        digests = {name: self._digest(name) for name in names}
        if goes_on:
            fresh = [digests[name] for name in called - conversation.called if name in digests]
            self.changes += bool(fresh) or not conversation.is_counted
            program.conversations += not conversation.is_counted
            program.called.update(fresh)
            conversation.called |= called
            conversation.is_counted = True
        demand = ToolDemand(
            program.conversations,
            {name: count for name in names if (count := program.called[digests[name]])},
            conversation.found,
            conversation.left_out if conversation.left_out is not None or not goes_on else frozenset(),
            searches_each=program.searches / program.conversations if program.conversations else 0.0,
        )
        if conversation.left_out is None:
            conversation.left_out = demand.seldom(frozenset(names))
        return demand, conversation, program

    def records(self) -> list[ProgramRecord]:
        """What outlives a restart, of owners that are known by name."""
        return [
            ProgramRecord(
                key.hex(),
                (one.owner.team, one.owner.app, one.owner.user, one.owner.key),
                one.conversations,
                one.searches,
                {name.hex(): count for name, count in one.called.items()},
            )
            for key, one in self._programs.items()
            if isinstance(one.owner, Owner) and one.conversations
        ]

    def replace(self, records: Iterable[ProgramRecord]) -> None:
        """Goes on from what was written down, and forgets all other programs. Conversations that last keep what was
        left out of them.

        Raises:
            ValueError: a digest is none.
        """
        programs: OrderedDict[bytes, ProgramUse] = OrderedDict()
        for record in list(records)[-MOST_PROGRAMS:]:
            one = programs[bytes.fromhex(record.program)] = ProgramUse(Owner(*record.owner))
            one.conversations, one.searches = record.conversations, record.searches
            one.called = Counter({bytes.fromhex(name): count for name, count in record.called.items()})
        self._programs = programs

    def _digest(self, *parts: str) -> bytes:
        digest = blake2b(digest_size=16, key=self._key)
        for part in parts:
            digest.update(b"%d:" % len(part))
            digest.update(part.encode("utf-8", "surrogatepass"))
        return digest.digest()


def _recent(kept: OrderedDict[bytes, Kept], key: bytes, make: Callable[[], Kept], most: int) -> Kept:
    """What is remembered under a key, or a new one."""
    one = kept.get(key)
    if one is None:
        one = kept[key] = make()
        if len(kept) > most:
            kept.popitem(last=False)
    kept.move_to_end(key)
    return one
