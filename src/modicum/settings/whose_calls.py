"""Whose calls a row of the settings is about."""

import msgspec

from modicum.calls import Owner
from modicum.governance.budgets import fits_model


class WhoseCalls(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A row that holds for some calls. The first that fits a call holds for it."""

    team: str = ""
    """The team whose calls it is about. Empty: everybody's."""
    app: str = ""
    """The same for an app."""
    user: str = ""
    """The same for a user."""
    key: str = ""
    """The same for a key, by its name."""
    model: str = ""
    """A pattern, as `text-embedding-*`: the model that the call asks for, by any of its names."""

    def is_of(self, owner: Owner) -> bool:
        """Whether it holds for any call of somebody."""
        return owner.fits(self.team, self.app, self.user, self.key)

    def is_about(self, owner: Owner, *models: str) -> bool:
        """Whether it holds for a call.

        Args:
            owner: of the call.
            models: names of its model: as it was asked for, and as its upstream calls it. One that fits is enough.
        """
        return self.is_of(owner) and (not self.model or any(fits_model(self.model, model) for model in models))
