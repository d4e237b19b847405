"""Names of the ledger's questions as owners that alerts speak of."""

from collections.abc import Sequence

from modicum.governance.alerts import WatchedOwner
from modicum.ledger.asking.several_dimensions import BETWEEN

Dimensions = Sequence[tuple[str, str]]
"""By what owners are named, each with its tag: what `parse_watched` gives."""


def watched_owner(dimensions: Dimensions, name: str) -> WatchedOwner:
    """The owner of a name in these dimensions."""
    names = name.split(BETWEEN) if len(dimensions) > 1 else [name]
    typed = [f"tag:{tag}" if tag else by for by, tag in dimensions]
    return WatchedOwner(tuple(zip(typed, names, strict=True)))
