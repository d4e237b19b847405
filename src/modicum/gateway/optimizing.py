"""The rules that may change a call before it is sent, or answer it in the provider's place.

A rule says what it wants and touches nothing; `optimize` does it. A rule that fails costs its call the change and
nothing else: the call goes on as it came, and the failure is counted.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, Protocol

from modicum.gateway.exchange import Exchange, OwnReply, PendingEdit
from modicum.gateway.upstreams import Route
from modicum.providers.facts import StreamTail

Failed = Callable[[str], None]
"""Counts the failure of a stage, by its name."""


class Turn(Protocol):
    """What a rule wants to learn of the reply."""

    def listening(self, tail: StreamTail) -> StreamTail:
        """A tail around the stream's own, that hears what passes."""

    def over(self, exchange: Exchange, end: bytes) -> Mapping[str, str]:
        """Hears the end of the reply (all of it, if it was no stream). Returns tags for the call's record."""


class Change(NamedTuple):
    """What a rule wants of one call; what it leaves out stays as it is."""

    body: bytes | None = None
    route: Route | None = None
    own_reply: OwnReply | None = None
    """The answer in the provider's place: nothing is sent."""
    edits: tuple[PendingEdit, ...] = ()
    tags: Mapping[str, str] = {}
    turn: Turn | None = None
    mark: str = ""
    """What the reply says of it in `x-modicum-plan`."""


class Rule(Protocol):
    name: str

    def __call__(self, exchange: Exchange) -> Change | None:
        """What is to be changed; None: nothing. Reads the exchange and changes nothing of it."""


def optimize(rules: Sequence[Rule], exchange: Exchange, failed: Failed) -> None:
    """Asks the rules in their order, and does what they want."""
    for rule in rules:
        try:
            change = rule(exchange)
        except Exception:  # noqa: BLE001 - a rule may fail, the call may not
            failed(rule.name)
            continue
        if change is not None:
            _do(exchange, change)


def hear(exchange: Exchange, end: bytes, failed: Failed) -> None:
    """Tells a rule that wanted to know how the reply ended."""
    turn: Turn | None = exchange.turn
    if turn is None:
        return
    try:
        exchange.tags = {**exchange.tags, **turn.over(exchange, end)}
    except Exception:  # noqa: BLE001 - as above
        failed("turn")


def _do(exchange: Exchange, change: Change) -> None:
    if change.body is not None:
        exchange.body = exchange.edited = change.body
    if change.route is not None:
        exchange.go(change.route)
    if change.own_reply is not None:
        exchange.own_reply = change.own_reply
    exchange.edits += change.edits
    exchange.tags = {**exchange.tags, **change.tags}
    exchange.turn = change.turn or exchange.turn
    exchange.mark = change.mark or exchange.mark
