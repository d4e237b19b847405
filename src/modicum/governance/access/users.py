"""Users of the console: who they are and what they may do, for each team. Events and their fold; pure.

As long as there is no user, the console knows none: whoever reaches it on this machine is its owner. The first user has
to be an owner, so that nobody locks everybody out.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal

import msgspec

from modicum.calls import AuditEvent, UserError
from modicum.calls.errors import unknown_name
from modicum.calls.outside.storable import storable
from modicum.governance.access.shown_once import fits, make_secret, split_secret

EVENT_KIND = "user"
EVERY_TEAM = "*"
LINK_PREFIX = "ml_"
LONGEST_NAME = 200


class Role(StrEnum):
    """What somebody may do with the figures of a team; each may what the ones before may."""

    VIEWER = "viewer"
    """Look at them."""
    EDITOR = "editor"
    """Set and raise its budgets, issue and revoke its keys; of every team: settings too."""
    OWNER = "owner"
    """Manage users, tokens of others, retention and erasure; of every team only."""

    def covers(self, least: "Role") -> bool:
        """Whether this role may do what `least` may."""
        ranks = list(Role)
        return ranks.index(self) >= ranks.index(least)


Roles = Mapping[str, Role]
"""Roles by team; `*` stands for every team."""


class UserEvent(msgspec.Struct, frozen=True, kw_only=True):
    """Something about a user was decided, or a one-time link was used."""

    what: Literal["set", "removed", "password", "linked", "link_used", "signed_out"]
    name: str
    at: datetime
    by: str
    roles: dict[str, Role] = {}
    """With `set`: all roles from now on."""
    subject: str = ""
    """With `set`: who that is at the OIDC provider, where it is not the name."""
    password: str = ""
    """With `password`: its hash."""
    link_id: str = ""
    digest: bytes = b""
    """With `linked`: keyed digest of the link's secret."""
    until: datetime | None = None
    """With `linked`: until when the link can be used."""

    @property
    def event_id(self) -> str:
        """The same wherever the event has come to."""
        return f"user:{self.name}:{self.what}:{self.link_id}:{self.at.isoformat()}"


class User(msgspec.Struct, frozen=True, kw_only=True):
    """A user as things stand now."""

    name: str
    roles: Roles
    valid_from: datetime
    """Sessions that began before this have ended."""
    tokens_from: datetime
    """Tokens that were issued before this have ended: the user was added at that moment."""
    subject: str = ""
    password: str = ""


class Users:
    """The fold of all events, in their order."""

    def __init__(self, events: Iterable[UserEvent] = ()) -> None:
        self._by_name: dict[str, User] = {}
        self._links: dict[str, UserEvent] = {}
        for event in events:
            self._apply(event)

    def all(self) -> list[User]:
        return sorted(self._by_name.values(), key=lambda user: user.name)

    def find(self, name: str) -> User | None:
        return self._by_name.get(name)

    def find_subject(self, subject: str) -> User | None:
        """The user that an OIDC provider calls by that name."""
        named = [user for user in self._by_name.values() if (user.subject or user.name) == subject]
        return named[0] if len(named) == 1 else None

    def is_open(self) -> bool:
        """Whether there is no user: nobody was ever added, or an owner who was alone was removed. Everybody on this
        machine is the owner then.
        """
        return not self._by_name

    def find_link(self, text: str, now: datetime, digest_key: bytes) -> tuple[User, str] | None:
        """Whose one-time link this is, and its id; None: it is unknown, used, or too old."""
        link_id, secret = split_secret(LINK_PREFIX, text)
        link = self._links.get(link_id)
        right = fits(secret, link.digest if link else None, digest_key)
        if link is None or not right or link.until is None or now >= link.until:
            return None
        user = self._by_name.get(link.name)
        return None if user is None else (user, link_id)

    def _apply(self, event: UserEvent) -> None:
        known = self._by_name.get(event.name)
        if event.what == "set":
            base = known or User(name=event.name, roles={}, valid_from=event.at, tokens_from=event.at)
            self._by_name[event.name] = msgspec.structs.replace(base, roles=event.roles, subject=event.subject)
        elif event.what == "link_used":
            self._links.pop(event.link_id, None)
        elif known is None:
            return
        elif event.what == "removed":
            del self._by_name[event.name]
            self._links = {one: link for one, link in self._links.items() if link.name != event.name}
        elif event.what == "linked":
            self._links[event.link_id] = event
        elif event.what == "password":
            self._by_name[event.name] = msgspec.structs.replace(known, password=event.password, valid_from=event.at)
        else:
            self._by_name[event.name] = msgspec.structs.replace(known, valid_from=event.at)


def parse_roles(texts: Iterable[str]) -> dict[str, Role]:
    """Roles by team from `viewer:search`, as people type them; `owner` alone is for every team.

    Raises:
        UserError: one is no role, or a team has two.
    """
    roles: dict[str, Role] = {}
    for text in texts:
        word, sign, team = text.partition(":")
        if sign and not team.strip():  # as `viewer:$TEAM` where nobody set it
            raise UserError(f"'{text:.80}' names no team; write {word:.20}:TEAM, or {word:.20} alone for all teams")
        team = team or EVERY_TEAM
        if word not in list(Role):
            raise unknown_name("role", word, list(Role))
        role = Role(word)
        if role is Role.OWNER and team != EVERY_TEAM:
            raise UserError(f"'{text:.80}': an owner manages users of all teams; write owner, or editor:{team:.80}")
        if roles.setdefault(team, role) != role:
            raise UserError(f"the team '{team:.80}' has two roles here; give it one")
    return roles


def set_user(users: Users, name: str, roles: Mapping[str, Role], at: datetime, by: str, subject: str = "") -> UserEvent:
    """The event that adds a user, or gives one other roles.

    Raises:
        UserError: the name cannot be one, there is no role, or no owner would be left.
    """
    if not name.strip() or name != storable(name) or not name.isprintable() or len(name) > LONGEST_NAME:
        raise UserError(f"'{name:.80}' is no name of a user: it has 1 to {LONGEST_NAME} characters that can be printed")
    if not roles:
        raise UserError(f"'{name}' would have no role: give one, as viewer:TEAM, editor:TEAM or owner")
    _check_owners(users, name, roles)
    return UserEvent(what="set", name=name, at=at, by=by, roles=dict(roles), subject=subject)


def remove_user(users: Users, name: str, at: datetime, by: str) -> UserEvent:
    """The event that removes a user, whose sessions, links and tokens end with it.

    Raises:
        UserError: there is none of that name, or no owner would be left.
    """
    if users.find(name) is None:
        raise unknown_name("user", name, [user.name for user in users.all()])
    if len(users.all()) > 1:  # the last one of all may go: the console is then as before there were users
        _check_owners(users, name, {})
    return UserEvent(what="removed", name=name, at=at, by=by)


def make_link(name: str, at: datetime, length: timedelta, by: str, digest_key: bytes) -> tuple[str, UserEvent]:
    """What a one-time link carries, which nobody can ask for again, and the event that tells of it."""
    fresh = make_secret(LINK_PREFIX, digest_key)
    event = UserEvent(
        what="linked", name=name, at=at, by=by, link_id=fresh.public_id, digest=fresh.digest, until=at + length
    )
    return fresh.text, event


def audit_users(events: Iterable[UserEvent]) -> list[AuditEvent]:
    """The events as the audit log has them, in order, without digests and hashes."""
    return [
        AuditEvent(
            event_id=event.event_id,
            at=event.at,
            by=event.by,
            kind=EVENT_KIND,
            what=event.what,
            subject=event.name,
            details={"roles": show_roles(event.roles)} if event.roles else {},
        )
        for event in events
    ]


def show_roles(roles: Roles) -> str:
    """Roles as people type them: `editor:search viewer:web`."""
    return " ".join(role if team == EVERY_TEAM else f"{role}:{team}" for team, role in sorted(roles.items()))


def _check_owners(users: Users, name: str, roles: Mapping[str, Role]) -> None:
    owners = {user.name for user in users.all() if user.roles.get(EVERY_TEAM) is Role.OWNER} - {name}
    if not owners and roles.get(EVERY_TEAM) is not Role.OWNER:
        raise UserError(f"nobody would be left who manages users: give '{name}' the role owner, or somebody else first")
