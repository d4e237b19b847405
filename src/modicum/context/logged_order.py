"""Calls whose log gives the whole context of each one, brought into the order in which they were sent.

Exports list calls newest first, or in no order, and a conversation may lie in several files. An anatomy says what was
kept from the call before, so the calls of a conversation wait here until all are known. Contexts that begin alike share
what they have in common, so waiting costs little.
"""

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from modicum.calls import Anatomy, Call, Problem, Segment, SegmentKind
from modicum.context.breaks import cause_of_break, kept_count

MOST_HELD = 50_000
"""Calls that wait for those of further files. Beyond it they are given, and later ones build on them as they come."""


class _Node:
    """A segment in its place: all of a context up to it."""

    __slots__ = ("depth", "parent", "segment", "tokens")

    def __init__(self, parent: "_Node | None", segment: Segment | None) -> None:
        self.parent, self.segment = parent, segment
        self.depth: int = 0 if parent is None else parent.depth + 1
        self.tokens: int = 0 if parent is None or segment is None else parent.tokens + segment.tokens


class _Waiting(msgspec.Struct, gc=False):
    call: Call
    node: _Node | None
    before: _Node | None
    """The context that its anatomy, if it has one, is a change to."""


class LoggedOrder:
    """Two ways in: `add` with a whole context, and `add_change` for a call that has its anatomy already."""

    def __init__(self) -> None:
        self._root = _Node(None, None)
        self._nodes: dict[tuple[int, SegmentKind, str, bytes], _Node] = {}
        self._waiting: dict[str, _Waiting] = {}
        self._newest: dict[str, tuple[Sequence[Segment], list[_Node]]] = {}
        """Of each conversation the context that came last, segment by segment."""
        self._given: dict[str, _Node] = {}
        """Of each conversation the context of the last call that was given."""

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, call: Call, segments: Sequence[Segment]) -> None:
        """Of two records of one call the greater revision stands, and of equals the first."""
        path = self._path(_conversation(call), segments)
        self._wait(_Waiting(call, path[-1] if segments else None, None))

    def add_change(self, call: Call) -> None:
        """As `add`: its anatomy is a change to the call of its conversation that was added before it."""
        anatomy = call.anatomy
        conversation = _conversation(call)
        parts, path = self._newest.get(conversation, ((), [self._root]))
        if anatomy is None or anatomy.kept_segments > len(parts):  # what it rests on was not seen
            self._wait(_Waiting(call, None, None))
            return
        is_first_of_file = not anatomy.kept_segments and not anatomy.break_cause
        before = self._root if is_first_of_file else path[-1]
        whole = [*parts[: anatomy.kept_segments], *anatomy.added]
        self._wait(_Waiting(call, self._path(conversation, whole)[-1], before))

    def calls(self) -> Iterator[Call]:
        """All calls by time, each with its anatomy; without one where nothing was recorded of its context."""
        waiting = sorted(self._waiting.values(), key=lambda one: (one.call.started, one.call.turn))
        self._waiting = {}
        for one in waiting:
            if one.node is None:
                yield one.call
                continue
            conversation = _conversation(one.call)
            before = self._given.get(conversation, self._root)
            self._given[conversation] = one.node
            if one.call.anatomy is not None and one.before is before:
                yield one.call  # it stands where its log has it
            else:
                events = () if one.call.anatomy is None else one.call.anatomy.events
                anatomy = msgspec.structs.replace(_change(before, one.node), events=events)
                yield msgspec.structs.replace(one.call, anatomy=anatomy)

    def _wait(self, one: _Waiting) -> None:
        known = self._waiting.get(one.call.call_id)
        if known is None or one.call.revision > known.call.revision:
            self._waiting[one.call.call_id] = one

    def _path(self, conversation: str, segments: Sequence[Segment]) -> list[_Node]:
        """The places of a context, the root first."""
        parts, path = self._newest.get(conversation, ((), [self._root]))
        kept = kept_count(parts, segments)
        path = path[: kept + 1]
        for segment in segments[kept:]:
            at = path[-1]
            key = id(at), segment.kind, segment.tool, segment.digest
            node = self._nodes.get(key)
            if node is None:
                node = _Node(at, segment)
                if segment.digest:  # what nobody saw is equal to nothing
                    self._nodes[key] = node
            path.append(node)
        self._newest[conversation] = segments, path
        return path


def in_order(found: Iterable[Call | Problem], own_order: Iterable[str]) -> Iterator[Call | Problem]:
    """Calls that several files may hold in any order, by time; those of sources in `own_order` pass as they come."""
    passing, order = frozenset(own_order), LoggedOrder()
    for item in found:
        if not isinstance(item, Call) or item.source in passing:
            yield item
            continue
        order.add_change(item)
        if len(order) >= MOST_HELD:
            yield from order.calls()
    yield from order.calls()


def _change(before: _Node, now: _Node) -> Anatomy:
    """The way from one context to another: down to what they share, and up again."""
    dropped: list[Segment] = []
    added: list[Segment] = []
    left, right = before, now
    while left is not right:
        if left.depth >= right.depth and left.parent is not None and left.segment is not None:
            dropped.append(left.segment)
            left = left.parent
        elif right.parent is not None and right.segment is not None:
            added.append(right.segment)
            right = right.parent
    dropped.reverse()
    added.reverse()
    return Anatomy(right.depth, right.tokens, tuple(added), cause_of_break(dropped, added))


def _conversation(call: Call) -> str:
    return call.conversation or call.task or call.call_id
