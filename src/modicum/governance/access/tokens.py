"""Tokens with which programs read and change what their user may, within scopes. Events and their fold; pure."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Literal

import msgspec

from modicum.calls import AuditEvent, UserError
from modicum.calls.errors import unknown_name
from modicum.governance.access.shown_once import fits, make_secret, split_secret

EVENT_KIND = "token"
PREFIX = "mt_"


class TokenScope(StrEnum):
    """What a token may be used for, at most; its user's roles hold beside it."""

    READ = "read"
    """Look at figures."""
    BUDGETS = "budgets"
    """Set and raise budgets."""
    KEYS = "keys"
    """Issue and revoke keys of the gateway."""
    SETTINGS = "settings"
    """Write replayed changes into the settings."""
    USERS = "users"
    """Manage users, retention and erasure."""


class TokenEvent(msgspec.Struct, frozen=True, kw_only=True):
    """A token was issued or revoked."""

    what: Literal["issued", "revoked"]
    token_id: str
    at: datetime
    by: str
    user: str = ""
    """Whose it is; so are the following with `issued` only."""
    name: str = ""
    digest: bytes = b""
    scopes: tuple[TokenScope, ...] = ()
    until: datetime | None = None

    @property
    def event_id(self) -> str:
        """The same wherever the event has come to."""
        return f"token:{self.token_id}:{self.what}:{self.at.isoformat()}"


class AccessTokens:
    """The fold of all events. They may come in any order and more than once."""

    def __init__(self, events: Iterable[TokenEvent] = ()) -> None:
        self._issued: dict[str, TokenEvent] = {}
        self._revoked: set[str] = set()
        for event in events:
            if event.what == "revoked":
                self._revoked.add(event.token_id)
            else:
                self._issued.setdefault(event.token_id, event)

    def in_force(self, now: datetime) -> list[TokenEvent]:
        """As they were issued, oldest first."""
        return [
            token
            for token in self._issued.values()
            if token.token_id not in self._revoked and (token.until is None or now < token.until)
        ]

    def check(self, text: str, now: datetime, digest_key: bytes) -> TokenEvent | None:
        """The token that this is; None: it is unknown, wrong, too old or revoked."""
        token_id, secret = split_secret(PREFIX, text)
        token = self._issued.get(token_id)
        right = fits(secret, token.digest if token else None, digest_key)
        is_valid = token is not None and right and token_id not in self._revoked
        return token if is_valid and token is not None and (token.until is None or now < token.until) else None


def issue_token(
    user: str,
    name: str,
    scopes: Sequence[str],
    at: datetime,
    by: str,
    until: datetime | None,
    digest_key: bytes,
) -> tuple[str, TokenEvent]:
    """A fresh token, which nobody can ask for again, and the event that tells of it.

    Raises:
        UserError: a scope is none, or there is none.
    """
    for scope in scopes:
        if scope not in list(TokenScope):
            raise unknown_name("scope", scope, list(TokenScope))
    if not scopes:
        raise UserError(f"a token has one scope at least: {', '.join(TokenScope)}")
    fresh = make_secret(PREFIX, digest_key)
    chosen = tuple(TokenScope(scope) for scope in dict.fromkeys(scopes))
    return fresh.text, TokenEvent(
        what="issued",
        token_id=fresh.public_id,
        at=at,
        by=by,
        user=user,
        name=name,
        digest=fresh.digest,
        scopes=chosen,
        until=until,
    )


def revoke_token(tokens: AccessTokens, name: str, at: datetime, by: str) -> TokenEvent:
    """The event that ends the token of that name or id.

    Raises:
        UserError: there is no such token in force, or there are several.
    """
    in_force = tokens.in_force(at)
    # an id first: nobody may keep a token in force by another one that is called by its id
    named = [one for one in in_force if one.token_id == name] or [one for one in in_force if one.name == name]
    if not named:
        raise UserError(f"there is no token '{name:.80}' in force; 'modicum token list' shows them")
    if len(named) > 1:
        ids = ", ".join(token.token_id for token in named)
        raise UserError(f"several tokens are named '{name}'; revoke one by its id: {ids}")
    return TokenEvent(what="revoked", token_id=named[0].token_id, at=at, by=by)


def audit_tokens(events: Iterable[TokenEvent]) -> list[AuditEvent]:
    """The events as the audit log has them, in order, without digests."""
    lines, issued = [], dict[str, TokenEvent]()
    for event in events:
        first = issued.setdefault(event.token_id, event)
        lines.append(
            AuditEvent(
                event_id=event.event_id,
                at=event.at,
                by=event.by,
                kind=EVENT_KIND,
                what=event.what,
                subject=event.token_id,
                details={"name": first.name, "user": first.user, "scopes": " ".join(first.scopes)},
            )
        )
    return lines
