"""Where a context parts from the one before it, and why. One rule for all doors."""

from collections.abc import Sequence
from typing import Protocol

from modicum.calls import Anatomy, Segment, SegmentKind
from modicum.metering.digests import segment_version

VERSION = "version"
"""The cause where the digests of the two contexts are of different versions, so that nobody can compare them."""
_OF_KIND = {SegmentKind.TOOL_SCHEMA: "tools", SegmentKind.SYSTEM: "system"}


class Part(Protocol):
    @property
    def kind(self) -> SegmentKind: ...
    @property
    def tool(self) -> str: ...
    @property
    def digest(self) -> bytes: ...


def kept_count(before: Sequence[Part], now: Sequence[Part]) -> int:
    """How many leading parts are the same."""
    same = 0
    for mine, theirs in zip(before, now, strict=False):
        if mine is not theirs and (
            mine.digest != theirs.digest or mine.kind is not theirs.kind or mine.tool != theirs.tool
        ):
            break
        same += 1
    return same


def change(before: Sequence[Segment], now: Sequence[Segment]) -> Anatomy:
    """A context that is known in full, as a change to the one before it."""
    kept = kept_count(before, now)
    tokens = sum(part.tokens for part in now[:kept])
    return Anatomy(kept, tokens, tuple(now[kept:]), cause_of_break(before[kept:], now[kept:]))


def cause_of_break(dropped: Sequence[Part], added: Sequence[Part]) -> str:
    """Why parts were dropped, by what stood behind those that were kept; see `Anatomy.break_cause`. Empty: nothing was.

    What changed in front of the messages is told by its kind. If some of what was dropped comes again, what stood
    before it was changed; else the conversation went back and took another way.
    """
    if not dropped:
        return ""
    if are_of_other_versions(dropped, added):
        return VERSION
    if cause := _OF_KIND.get(dropped[0].kind) or (_OF_KIND.get(added[0].kind) if added else None):
        return cause
    later = {part.digest for part in dropped[1:] if part.digest}
    return "changed" if any(part.digest in later for part in added) else "rewind"


def are_of_other_versions(before: Sequence[Part], now: Sequence[Part]) -> bool:
    """Whether the digests of two contexts cannot be compared."""
    mine, theirs = _version(before), _version(now)
    return mine != theirs and mine > 0 and theirs > 0


def _version(parts: Sequence[Part]) -> int:
    return next((segment_version(part.digest) for part in parts if part.digest), 0)
