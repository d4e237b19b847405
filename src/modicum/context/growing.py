"""The context of one conversation while its log is read, and the anatomy of each call sent with it."""

from collections.abc import Iterable

from modicum.calls import Anatomy, Segment, SegmentKind


class Context:
    """Segments in the order in which the model sees them. Grows at its end, and may be cut back.

    Positions count what the log holds: what a provider counted beyond it in front (see `sent`) is in none.
    """

    def __init__(self) -> None:
        self.segments: list[Segment] = []
        self._kept = 0
        self._cause = ""
        self._sums = [0]
        self._is_sent = False
        self._in_front = 0

    def __len__(self) -> int:
        """How many segments of the log it holds."""
        return len(self.segments) - self._in_front

    @property
    def tokens(self) -> int:
        return self._tokens_before(len(self.segments))

    def grow(self, segments: Iterable[Segment]) -> None:
        self.segments.extend(segments)

    def cut(self, position: int, cause: str) -> None:
        """Forgets the segments from `position` on: a compaction (0), a rewind, a changed system prompt."""
        position += self._in_front
        if position >= len(self.segments):
            return
        del self.segments[position:]
        del self._sums[position + 1 :]
        if position < self._kept:
            self._kept, self._cause = position, cause

    def sent(self, prompt_tokens: int = 0) -> Anatomy:
        """The anatomy of the call that is sent now.

        `prompt_tokens`, of the first one: what the provider counted beyond the log's segments goes in front. Agents log
        neither their tool schemas nor, as a rule, their system prompt.
        """
        missing = 0 if self._is_sent else prompt_tokens - self.tokens
        self._is_sent = True
        if missing > 0:
            self.segments.insert(0, Segment(SegmentKind.PREFIX, missing))
            self._in_front, self._sums = 1, [0]
        added = tuple(self.segments[self._kept :])
        anatomy = Anatomy(self._kept, self._tokens_before(self._kept), added, self._cause)
        self._kept, self._cause = len(self.segments), ""
        return anatomy

    def _tokens_before(self, position: int) -> int:
        """Running sums, extended as the context grows: a conversation of thousands of calls stays linear."""
        sums = self._sums
        while len(sums) <= len(self.segments):
            sums.append(sums[-1] + self.segments[len(sums) - 1].tokens)
        return sums[position]
