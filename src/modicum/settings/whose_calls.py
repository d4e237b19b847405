"""Whose calls a row of the settings is about."""

from fnmatch import fnmatchcase

import msgspec

from modicum.calls import Owner


class WhoseCalls(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A row that holds for some calls. The first that fits a call holds for it."""

    team: str = ""
    """Whose calls it is about. Empty: everybody's. So are the following."""
    app: str = ""
    user: str = ""
    key: str = ""
    """The name of a key."""
    model: str = ""
    """A pattern, as `text-embedding-*`: the model that the call asks for."""

    def is_about(self, owner: Owner, model: str) -> bool:
        """Whether it holds for a call."""
        wants = ((self.team, owner.team), (self.app, owner.app), (self.user, owner.user), (self.key, owner.key))
        if any(name and name != has for name, has in wants):
            return False
        return not self.model or fnmatchcase(model, self.model)
