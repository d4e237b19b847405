"""What somebody decided about the gateway: a key issued or revoked. The audit log is made of these."""

from datetime import datetime

import msgspec

from modicum.calls.call import NOBODY, Owner


class AuditEvent(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    event_id: str
    """Identity: an event that is told twice is kept once."""
    at: datetime
    by: str
    """Who did it."""
    kind: str
    """What it is about: `key`."""
    what: str
    """What was done: `issued`, `revoked`."""
    subject: str
    """Which one: the public id of a key."""
    owner: Owner = NOBODY
    """Who pays; `owner.key` is the key's name."""
    details: dict[str, str] = {}
    """More of it. Never a secret or its digest."""
