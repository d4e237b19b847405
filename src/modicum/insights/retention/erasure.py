"""An owner erased: calls gone from the ledger, keys revoked, and a line in the log that does not name who it was."""

import hashlib
from datetime import datetime
from typing import NamedTuple

from modicum.calls import AuditEvent, UserError
from modicum.calls.errors import unknown_name
from modicum.governance.keys import KeyEvent, Keys, audit, revoke
from modicum.insights.scoping.time_span import NEVER
from modicum.ledger.events import EventFile
from modicum.ledger.records import AUDIT_EVENTS
from modicum.ledger.store import Purge, Store

PARTS = ("user", "team", "app", "key")
EVENT_KIND = "erasure"


class Erasure(NamedTuple):
    """What was erased."""

    calls: int
    keys: int
    """Keys that were in force, and are revoked."""
    digest: str
    """Stands for the name in the log: who has the name and the digest key can find it there."""


def erase_owner(
    store: Store, events: EventFile, part: str, name: str, *, at: datetime, by: str, digest_key: bytes
) -> Erasure:
    """Erases all calls of an owner, whenever they began, and revokes its keys.

    Args:
        store: the ledger.
        events: the file of keys.
        part: which part of owners is meant: user, team, app or key.
        name: its name.
        at: now.
        by: who has it erased.
        digest_key: with which the name in the log is hidden.

    Raises:
        UserError: there is no such part, or no name.
    """
    if part not in PARTS:
        raise unknown_name("part of an owner", part, PARTS)
    if not name:
        raise UserError("say whose calls are to be erased: calls that name nobody are not of somebody")
    keys = [key for key in Keys(events.read("key", KeyEvent)).in_force() if getattr(key.owner, part) == name]
    for key in keys:
        events.append("key", revoke(Keys(events.read("key", KeyEvent)), key.key_id, at, by))
    calls = store.purge(Purge(before=NEVER, **{part: name}))
    digest = hashlib.blake2b(f"{part}:{name}".encode(), digest_size=8, key=digest_key[:64]).hexdigest()
    line = AuditEvent(
        event_id=f"{EVENT_KIND}:{digest}:{at.isoformat()}",
        at=at,
        by=by,
        kind=EVENT_KIND,
        what="erased",
        subject=f"{part} {digest}",
        details={"calls": f"{calls}", "keys": f"{len(keys)}"},
    )
    store.append_records(AUDIT_EVENTS, [*audit(events.read("key", KeyEvent)), line])
    return Erasure(calls, len(keys), digest)
