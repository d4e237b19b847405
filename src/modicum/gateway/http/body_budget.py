"""How many bytes of request bodies one gateway process holds at a time, all callers together.

Bytes are counted as they come (of a compressed body: as they are unpacked), never as they are announced: who announces
much and sends nothing takes no room from others. Nobody waits for room, so nobody can wait for somebody who waits: the
body that finds none is refused at once, and what it held is free for the others.
"""

from typing import TYPE_CHECKING, Self

from modicum.gateway.http.refusal import Refused

if TYPE_CHECKING:
    from types import TracebackType

MEMORY_SHARE = 8
"""Without a setting bodies take an eighth of the memory: a byte of one was measured to take 2.5 bytes of it, and 4.6
where usage had to be asked for, with its copies, the parts that are digested and what waits to be sent.
"""
MEBIBYTE = 1024 * 1024


class BodyBudget:
    """How many bytes of requests the process holds together, and the bound on them.

    Args:
        most_bytes: how many may be held.
    """

    def __init__(self, most_bytes: int) -> None:
        self.most_bytes = most_bytes
        self.held_bytes = 0

    def share(self) -> "BodyShare":
        """For one request. What it takes is given back when it is left as a context manager."""
        return BodyShare(self)


class BodyShare:
    """What one request holds."""

    __slots__ = ("_budget", "_bytes")

    def __init__(self, budget: BodyBudget) -> None:
        self._budget, self._bytes = budget, 0

    def check(self, announced_bytes: int) -> None:
        """Whether there is room for a body that has not come yet. Takes none.

        Raises:
            Refused: there is not.
        """
        if self._budget.held_bytes + announced_bytes > self._budget.most_bytes:
            raise Refused(503, "too many bytes of requests are under way; try again", "bodies_full")

    def take(self, new_bytes: int) -> None:
        """Takes room for bytes that came.

        Raises:
            Refused: there is no room for so many more; nothing was taken.
        """
        budget = self._budget
        if budget.held_bytes + new_bytes > budget.most_bytes:
            self.check(new_bytes)
        budget.held_bytes += new_bytes
        self._bytes += new_bytes

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: "type[BaseException] | None", error: BaseException | None, trace: "TracebackType | None"
    ) -> None:
        self._budget.held_bytes -= self._bytes
        self._bytes = 0


def budget_of(most_bodies_mb: int, most_body_mb: int, workers: int, memory_bytes: int) -> BodyBudget:
    """The budget of one of so many workers: its part of what is set, or of an eighth of the memory; room for one body
    of the largest size at least, or that size would be a promise that is never kept.

    Args:
        most_bodies_mb: for all workers together; 0: nothing is set.
        most_body_mb: the largest size of one.
        workers: how many there are.
        memory_bytes: how much memory they may have.
    """
    together = most_bodies_mb * MEBIBYTE or memory_bytes // MEMORY_SHARE
    return BodyBudget(max(together // workers, most_body_mb * MEBIBYTE))
