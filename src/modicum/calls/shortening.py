"""What rules would have made of a tool result of the past: a hypothetical edit, worked out while its text passed."""

from datetime import datetime

import msgspec


class Shortening(msgspec.Struct, frozen=True, gc=False):
    """Of one segment, under one set of rules."""

    rules: str
    """A rule's name, or that of a set: `lossless`, `all`."""
    share: float
    """Of its tokens, from 0 to 1, what would have been sent."""


class BookedShortening(msgspec.Struct, frozen=True, kw_only=True):
    """The same in the ledger: for all segments of one digest that were born in one call."""

    shortening_id: str
    entry_id: str
    started: datetime
    """When that call began."""
    digest: bytes
    rules: str
    share: float
