"""API keys of the gateway: who may call, and who pays.

A key is `mk_<id>_<secret>`. It is shown once; what is kept is a keyed digest of the secret, so that neither the file of
events nor a copy of it opens anything. The id is public and finds the record; the secret is compared in constant time.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Literal

import msgspec

from modicum.calls import AuditEvent, Owner, UserError
from modicum.governance.access.shown_once import fits, make_secret, split_secret

PREFIX = "mk_"
OWN_KEY = "own-"
"""How the name begins of an owner who brings a provider key of its own; a digest of it follows."""


class KeyEvent(msgspec.Struct, frozen=True, kw_only=True):
    """A key was issued or revoked: when, and by whom."""

    what: Literal["issued", "revoked"]
    key_id: str
    at: datetime
    by: str
    """Who did it: the user of the machine, or a name given."""
    digest: bytes = b""
    """Keyed digest of the secret; with `issued` only."""
    owner: Owner = Owner()
    """Who pays; with `issued` only. `owner.key` is the key's name."""
    models: tuple[str, ...] = ()
    """The models that it may use, as patterns; none: all."""

    @property
    def event_id(self) -> str:
        """The same wherever the event has come to."""
        return f"key:{self.key_id}:{self.what}:{self.at.isoformat()}"


class Key(msgspec.Struct, frozen=True, kw_only=True):
    """A key as it stands now."""

    key_id: str
    owner: Owner
    models: tuple[str, ...]
    digest: bytes
    issued_at: datetime
    issued_by: str
    revoked_at: datetime | None = None


def issue(owner: Owner, models: tuple[str, ...], at: datetime, by: str, digest_key: bytes) -> tuple[str, KeyEvent]:
    """A fresh key, which nobody can ask for again, and the event that tells of it."""
    fresh = make_secret(PREFIX, digest_key)
    event = KeyEvent(
        what="issued", key_id=fresh.public_id, at=at, by=by, digest=fresh.digest, owner=owner, models=models
    )
    return fresh.text, event


def revoke(keys: "Keys", name: str, at: datetime, by: str) -> KeyEvent:
    """The event that ends the key of that name or id.

    Raises:
        UserError: there is no such key in force.
    """
    in_force = keys.in_force()
    # an id first: nobody may keep a key in force by another one that is called by its id
    found = [key for key in in_force if key.key_id == name] or [key for key in in_force if key.owner.key == name]
    if not found:
        raise UserError(f"there is no key '{name}' in force; 'modicum key list' shows them")
    if len(found) > 1:
        ids = ", ".join(key.key_id for key in found)
        raise UserError(f"several keys are named '{name}'; revoke one by its id: {ids}")
    return KeyEvent(what="revoked", key_id=found[0].key_id, at=at, by=by)


def audit(events: Iterable[KeyEvent]) -> list[AuditEvent]:
    """The events as the audit log has them, in order: without digests, a revocation with whose key it was."""
    lines = []
    owners: dict[str, Owner] = {}
    for event in events:
        owners.setdefault(event.key_id, event.owner)
        lines.append(
            AuditEvent(
                event_id=event.event_id,
                at=event.at,
                by=event.by,
                kind="key",
                what=event.what,
                subject=event.key_id,
                owner=owners[event.key_id],
                details={"models": " ".join(event.models)} if event.models else {},
            )
        )
    return lines


class Keys:
    """The fold of all events. They may come in any order and more than once, as several hosts hand them on."""

    def __init__(self, events: Iterable[KeyEvent] = ()) -> None:
        self._by_id: dict[str, Key] = {}
        self._revoked_at: dict[str, datetime] = {}
        for event in events:
            self._apply(event)

    def all(self) -> list[Key]:
        return list(self._by_id.values())

    def in_force(self) -> list[Key]:
        return [key for key in self._by_id.values() if key.revoked_at is None]

    def check(self, token: str, digest_key: bytes) -> Key | None:
        """The key that this token is; None: it is unknown, wrong or revoked. Takes as long for one as for the other."""
        key_id, secret = split_secret(PREFIX, token)
        key = self._by_id.get(key_id)
        right = fits(secret, key.digest if key else None, digest_key)
        return key if key is not None and right and key.revoked_at is None else None

    def _apply(self, event: KeyEvent) -> None:
        key_id = event.key_id
        if event.what == "revoked":
            self._revoked_at[key_id] = min(event.at, self._revoked_at.get(key_id, event.at))
        elif key_id not in self._by_id:
            self._by_id[key_id] = Key(
                key_id=key_id,
                owner=event.owner,
                models=event.models,
                digest=event.digest,
                issued_at=event.at,
                issued_by=event.by,
            )
        if key_id in self._by_id and key_id in self._revoked_at:
            self._by_id[key_id] = msgspec.structs.replace(self._by_id[key_id], revoked_at=self._revoked_at[key_id])
