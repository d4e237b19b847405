"""What rules made of the beginnings of requests, which come again with every call of their conversations.

A message that was seen before tells all bytes in front of it (`SeenMessage`), so a beginning is known by its last
message. Of what rules made of it digests and numbers are remembered, within a fixed bound, and no text: messages that
were written anew stay where they are (`WrittenMessages`), and a beginning of which one is forgotten is worked out
again.
"""

from collections import OrderedDict
from collections.abc import Hashable, Iterable, Mapping
from typing import NamedTuple

from modicum.calls.change import EarlierEdits

MOST_EDITS = 100_000
"""Of all remembered beginnings together: about 25 MB."""
MOST_WRITTEN_BYTES = 16_000_000
"""Of messages that were written anew and will be again."""


class WrittenMessage:
    """A message that rules gave other texts; empty once it is forgotten."""

    __slots__ = ("body",)

    def __init__(self, body: bytes) -> None:
        self.body = body


class WrittenMessages:
    """By the number of the message before (`SeenMessage.number`) and its other texts. The oldest are forgotten first.
    Used from one thread.
    """

    def __init__(self) -> None:
        self._known: OrderedDict[Hashable, WrittenMessage] = OrderedDict()
        self._bytes = 0

    def find(self, key: Hashable) -> WrittenMessage | None:
        """What was written for this before."""
        return self._known.get(key)

    def remember(self, key: Hashable, body: bytes) -> WrittenMessage:
        """It will be written again."""
        message = self._known[key] = WrittenMessage(body)
        self._bytes += len(body)
        while self._bytes > MOST_WRITTEN_BYTES and len(self._known) > 1:
            oldest = self._known.popitem(last=False)[1]
            self._bytes -= len(oldest.body)
            oldest.body = b""
        return message


class EditedBeginning(NamedTuple):
    """What rules made of the first messages of a request."""

    key: Hashable
    """Which rules they were, and in front of which tools and instructions."""
    last: int
    """The number of its last message (`SeenMessage.number`)."""
    messages: int
    units: int
    """Those of tools and instructions included, as in `tokens`."""
    tokens: int
    """As the caller sent it."""
    edits: Mapping[str, EarlierEdits]
    """By rule."""
    written: Mapping[int, WrittenMessage]
    """Messages that are sent in another form, by their place in the request."""
    follows: int | None = None
    """The last message of the beginning that this one goes on with."""

    def bodies(self) -> dict[int, bytes] | None:
        """The messages that are sent in another form; None: one of them is forgotten."""
        bodies = {place: message.body for place, message in self.written.items()}
        return bodies if all(bodies.values()) else None


class EditedBeginnings:
    """The newest are known. Used from one thread."""

    def __init__(self, most_edits: int = MOST_EDITS) -> None:
        self._most_edits = most_edits
        self._known: OrderedDict[int, EditedBeginning] = OrderedDict()
        self._edits = 0

    def __len__(self) -> int:
        return len(self._known)

    def longest(self, numbers: Iterable[int], key: Hashable) -> EditedBeginning | None:
        """The longest that a request begins with; None: none is known. `numbers` are those of its messages, from the
        last to the first.
        """
        for number in numbers:
            known = self._known.get(number)
            if known is not None and known.key == key:
                self._known.move_to_end(number)
                return known
        return None

    def remember(self, beginning: EditedBeginning) -> None:
        """It will come again, and so may the one in front of it (a call that is sent again); the one before that is
        taken to be done with.
        """
        before = None if beginning.follows is None else self._known.get(beginning.follows)
        self._forget(beginning.last)
        self._known[beginning.last] = beginning
        self._edits += _size(beginning)
        if before is not None and before.follows is not None:
            self._forget(before.follows)
        while self._edits > self._most_edits and len(self._known) > 1:
            self._forget(next(iter(self._known)))

    def _forget(self, last: int) -> None:
        before = self._known.pop(last, None)
        if before is not None:
            self._edits -= _size(before)


def _size(beginning: EditedBeginning) -> int:
    return 1 + len(beginning.written) + sum(len(edits.texts) for edits in beginning.edits.values())
