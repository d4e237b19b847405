"""The context of one conversation while its log is read, and the anatomy of each call sent with it."""

from collections.abc import Iterable, Sequence

from modicum.calls import Anatomy, Segment


class Context:
    """Segments in the order in which the model sees them. Grows at its end, and may be cut back."""

    def __init__(self) -> None:
        self.segments: list[Segment] = []
        self._kept = 0
        self._cause = ""
        self._sums = [0]

    def grow(self, segments: Iterable[Segment]) -> None:
        self.segments.extend(segments)

    def cut(self, position: int, cause: str) -> None:
        """Forgets the segments from `position` on: a compaction (0), a rewind, a changed system prompt."""
        if position >= len(self.segments):
            return
        del self.segments[position:]
        if position < self._kept:
            self._kept, self._cause = position, cause

    def replace(self, segments: Sequence[Segment], cause: str = "") -> None:
        """Takes over a context that a log gives in full: what agrees with the front of the present one is kept."""
        same = 0
        for mine, theirs in zip(self.segments, segments, strict=False):
            if (mine.kind, mine.tool, mine.digest) != (theirs.kind, theirs.tool, theirs.digest):
                break
            same += 1
        self.cut(same, cause)
        self.grow(segments[same:])

    def sent(self) -> Anatomy:
        """The anatomy of the call that is sent now."""
        added = tuple(self.segments[self._kept :])
        kept_tokens = self._tokens_before(self._kept)
        anatomy = Anatomy(self._kept, kept_tokens, added, self._cause)
        self._kept, self._cause = len(self.segments), ""
        return anatomy

    def _tokens_before(self, position: int) -> int:
        """Running sums, extended as the context grows: a conversation of thousands of calls stays linear."""
        del self._sums[position + 1 :]
        while len(self._sums) <= len(self.segments):
            self._sums.append(self._sums[-1] + self.segments[len(self._sums) - 1].tokens)
        return self._sums[position]
