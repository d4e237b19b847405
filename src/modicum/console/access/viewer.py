"""Who asks: a user with a session, a program with a token, or whoever is on this machine where there are no users."""

import getpass
from collections.abc import Collection

import msgspec

from modicum.calls import UserError
from modicum.governance.access.tokens import TokenScope
from modicum.governance.access.users import EVERY_TEAM, Role, Roles


class ForbiddenError(UserError):
    """The one who asks may not do that."""


class Viewer(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who asks, with what that one may do."""

    name: str
    roles: Roles
    scopes: Collection[TokenScope] = tuple(TokenScope)
    """Of a token; a person on pages has all of them."""
    session_id: str = ""
    is_local: bool = False
    """The console knows no users: it is whoever is on this machine."""

    @property
    def by_token(self) -> bool:
        """Whether it is a program with a token, which may never do more than that one's scopes."""
        return not self.session_id and not self.is_local

    @property
    def teams(self) -> tuple[str, ...] | None:
        """The teams whose figures are shown; None: everybody's."""
        return None if EVERY_TEAM in self.roles else tuple(sorted(self.roles))

    @property
    def sees_everything(self) -> bool:
        return self.teams is None

    def may(self, least: Role, scope: TokenScope, team: str | None = None) -> bool:
        """Whether that may be done with a team's figures; None: with those of any team that it has a role for.

        Args:
            least: the role that is needed.
            scope: what a token must be for.
            team: `*` stands for all teams together, and for calls that have none.
        """
        if scope not in self.scopes:
            return False
        own = self.roles if team is None else {one: self.roles[one] for one in (team, EVERY_TEAM) if one in self.roles}
        return any(role.covers(least) for role in own.values())

    def insist(self, least: Role, scope: TokenScope, team: str) -> None:
        """Raises:
        ForbiddenError: that may not be done.
        """
        if not self.may(least, scope, team):
            whose = "all teams" if team in {EVERY_TEAM, ""} else f"the team '{team:.80}'"
            raise ForbiddenError(f"you may not do that for {whose}: it takes the role {least}")

    @property
    def audience(self) -> tuple[object, ...]:
        """What two viewers have in common to whom a page looks the same."""
        return self.name, tuple(sorted(self.roles.items())), tuple(self.scopes), self.is_local


def local_viewer() -> Viewer:
    """Whoever is on this machine, where no user was ever added: the console listens on the loopback address only, takes
    no other `Host`, and changes from its own pages only, so that neither other machines nor other sites reach it.
    """
    try:
        name = getpass.getuser()
    except (KeyError, OSError):  # no user of that number, as in some containers
        name = "local"
    return Viewer(name=name, roles={EVERY_TEAM: Role.OWNER}, is_local=True)
